"""Sequencers as processes: killed, doubled, cut off; none of it loses a record."""

import os
import subprocess
import sys
from threading import Event, Thread

import psycopg

from tests.audit.ledger import ISSUER, Deed, nik, unique
from tests.sandbox import database_settings

SECONDS = 60
"""Bound of every wait; each ends with its event."""


def start(ledger):
    own = {"DTSEN_HOME": str(ledger.home), "DTSEN_ISSUER": ISSUER}
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "sequencer"],
        env=os.environ | database_settings(ledger.urls) | own,
    )


ALONE = """
import sys
from pathlib import Path
from threading import Event
from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication
from dtsen.audit.stores import Directory
from dtsen.audit.sequencer import Sequencer
from dtsen.clock import Clock
from dtsen.keys import Keyring
url, keys, folder, guard, issuer = sys.argv[1:]
keyring, clock = Keyring(Path(keys)), Clock()
keeper = Keeper(keyring, clock, Publication(Directory(Path(folder)), Path(guard)), issuer)
Sequencer(url, keyring, clock, keeper).run(Event())
"""


def start_alone(ledger):
    """The sequencer without the command line around it: there at once, to be killed at once."""
    folders = [str(ledger.home / name) for name in ("keys", "log", "log-guard")]
    return subprocess.Popen([sys.executable, "-c", ALONE, ledger.urls.sequencer, *folders, ISSUER])


def wait_until(ledger, statement):
    with ledger.owner() as connection:
        connection.execute("SET statement_timeout = '60s'")
        connection.execute(
            "DO $$ BEGIN WHILE NOT (" + statement + ") LOOP"
            " PERFORM pg_sleep(0.02); COMMIT; END LOOP; END $$"
        )


LOCK = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
LED = f"SELECT EXISTS ({LOCK})"
FREE = f"SELECT NOT EXISTS ({LOCK})"
NOTHING_PENDING = "SELECT NOT EXISTS (SELECT FROM audit.pending)"


def test_killed_at_any_time_it_loses_nothing(ledger):
    code = unique("dibunuh")
    people = tuple(map(nik, range(30)))
    ids = []
    for number in range(8):
        process = start_alone(ledger)
        wait_until(ledger, LED)
        written = 100 * (number + 1)
        ids += ledger.write(*(Deed(agency=code, niks=people) for _ in range(written)))
        wait_until(ledger, f"(SELECT count(*) FROM audit.pending) <= {50 * number}")  # noqa: S608 - a number of this test
        process.kill()
        process.wait(SECONDS)
        wait_until(ledger, FREE)
    ledger.merge()
    with ledger.owner() as connection:
        ((indexed,),) = connection.execute(
            "SELECT count(*) FROM audit.mention WHERE record = ANY (%s)", (ids,)
        ).fetchall()
    assert indexed == len(people) * len(ids)


def test_a_second_process_waits_and_takes_over_when_the_first_is_killed(ledger):
    first = start(ledger)
    wait_until(ledger, LED)
    second = start(ledger)
    ledger.write(Deed(niks=(nik(1),)))
    wait_until(ledger, NOTHING_PENDING)
    first.kill()
    first.wait(SECONDS)
    ledger.write(Deed(niks=(nik(1),)))
    wait_until(ledger, NOTHING_PENDING)
    assert second.poll() is None
    second.terminate()
    assert second.wait(SECONDS) == 0


def test_it_waits_out_the_loss_of_its_session(ledger):
    stop = Event()
    thread = Thread(target=ledger.sequencer().run, args=(stop,))
    thread.start()
    try:
        backend = "FROM pg_stat_activity WHERE application_name = 'dtsen-sequencer'"
        wait_until(ledger, f"SELECT count(*) = 1 {backend}")
        with psycopg.connect(ledger.urls.sequencer, autocommit=True) as same_login:
            same_login.execute(f"SELECT pg_terminate_backend(pid) {backend}")
        ledger.write(Deed(niks=(nik(1),)))
        wait_until(ledger, NOTHING_PENDING)
    finally:
        stop.set()
        thread.join(SECONDS)
    assert not thread.is_alive()
