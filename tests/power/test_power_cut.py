"""The power is cut, again and again: what was acknowledged and what was seen is still there.

PostgreSQL, publication, guard and keys lie on a disk that keeps only what was synced (`machine`).
Four builds that each leave out one sync are caught by the same judgement.
"""

import asyncio
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import asyncpg
import psycopg
import pytest

from dtsen.audit.halt import LogHalted
from dtsen.audit.publication import Publication, read_checkpoint
from dtsen.audit.stores import Directory
from dtsen.disclosure.recording import record
from dtsen.keys import Keyring
from dtsen.tlog.merkle import leaf_hash, root_of
from tests.audit.ledger import ISSUER, Deed, Ledger, nik, unique
from tests.audit.tree_checks import YEAR, check, published
from tests.embedded_cluster import superuser_url
from tests.faults.processes import until
from tests.postgres import open_folder
from tests.power.machine import CannotRun, Machine

PROMISE = "acknowledged records are in the log; what was published is still, whole, and no less"
FEWEST = 40
MOST_CUTS = 8
"""Within which a control must be caught."""
OF_THE_SERVER = ("fsync", "synchronous_commit")
CONTROLS = (*OF_THE_SERVER, "publication", "guard")


@dataclass
class Verdict:
    """What a cut took of what was promised."""

    lost: int = 0
    """Acknowledged records that are not there."""
    wrong: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.wrong)

    def __str__(self) -> str:
        lost = [f"{self.lost} acknowledged records lost"] if self.lost else []
        return "; ".join(lost + self.wrong) or "nothing lost"


class Writer(threading.Thread):
    """Records until the power is cut; keeps what was acknowledged."""

    def __init__(self, book: Ledger, chance: random.Random) -> None:
        super().__init__()
        self._book, self._chance = book, chance
        self.acknowledged: dict[str, bytes] = {}

    def run(self) -> None:
        asyncio.run(self._write())

    async def _write(self) -> None:
        connection = await asyncpg.connect(self._book.urls.api)
        try:
            while True:
                many = self._chance.choice((1, 3, 20))
                deed = Deed(agency=unique("listrik"), niks=(nik(1),))
                entries = [self._book.entry(deed) for _ in range(many)]
                await record(connection, entries)
                self.acknowledged |= {str(one.id): leaf_hash(one.leaf) for one in entries}
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
        finally:
            connection.terminate()


class Site:
    """A machine under load, and what was acknowledged and seen of it."""

    def __init__(self, machine: Machine, seed: int, forgets: str = "nothing") -> None:
        self.machine = machine
        self.chance = random.Random(seed)  # noqa: S311 - for repetition, not for secrets
        self.forgets = forgets
        self.acknowledged: dict[str, bytes] = {}
        self.seen: dict[int, bytes] = {}
        machine.begin()
        if forgets in OF_THE_SERVER:
            with psycopg.connect(superuser_url(machine.home), autocommit=True) as connection:
                connection.execute(f"ALTER SYSTEM SET {forgets} = off")
                connection.execute("SELECT pg_reload_conf()")

    @property
    def book(self) -> Ledger:
        home = self.machine.home
        publication = Publication(Directory(home / "log"), home / "log-guard")
        keyring = Keyring(home / "keys")
        return Ledger(self.machine.urls, keyring, None, None, None, home, publication, "nobody's")

    def look(self) -> bool:
        """Remember a checkpoint as an outsider does; whether it is a new one."""
        note = self.book.publication.checkpoint(YEAR)
        if note is None:
            return False
        new = (size := read_checkpoint(note).size) not in self.seen
        self.seen[size] = note
        return new

    def work_and_cut(self) -> Verdict:
        """Record and publish for a while, then cut; judge what is left."""
        self.machine.settle()
        writer = Writer(self.book, self.chance)
        sequencer = self._sequencer()
        writer.start()
        until(lambda: self.look() and len(writer.acknowledged) > FEWEST)
        until(self.look)
        if self.chance.random() < 0.5:
            time.sleep(self.chance.uniform(0, 0.7))  # at any moment, not only after publishing
            self.look()
        self.machine.cut(sequencer.pid)
        sequencer.kill()
        sequencer.communicate()
        writer.join()
        self.acknowledged |= writer.acknowledged
        return self.judge()

    def judge(self) -> Verdict:
        """Before anything mends it: what lies there; then whether it goes on."""
        found = Verdict()
        self._judge_files(found)
        if not self.machine.switch_on():
            found.lost, found.wrong = len(self.acknowledged), [*found.wrong, "no database"]
            return found
        with self.book.owner() as connection:
            held = dict(
                connection.execute(
                    "SELECT id::text, sha256('\\x00'::bytea || leaf) FROM audit.record"
                ).fetchall()
            )
        found.lost = sum(held.get(name) != leaf for name, leaf in self.acknowledged.items())
        self._judge_log(found)
        return found

    def _judge_files(self, found: Verdict) -> None:
        publication, largest = self.book.publication, max(self.seen)
        try:
            lies = published(self.book, YEAR).checkpoint.size
        except (AssertionError, ValueError, OSError) as error:
            found.wrong.append(f"the publication is not whole ({type(error).__name__})")
        else:
            if lies < largest:
                found.wrong.append(f"{largest} leaves were seen published, {lies} are")
        try:
            guarded = publication.guard(YEAR)
            remembered = read_checkpoint(guarded).size if guarded else 0
        except LogHalted:
            remembered = 0
        if remembered < largest:
            found.wrong.append(f"the guard forgot {largest} leaves, it remembers {remembered}")

    def _judge_log(self, found: Verdict) -> None:
        """Let the product's own sequencer go on, and hold all of the log against what was seen."""
        sequencer = self._sequencer(forgets="nothing")
        try:
            until(lambda: sequencer.poll() is not None or self._merged(), what="the merge")
        finally:
            sequencer.kill()
            _, said = sequencer.communicate()
        if said:
            found.wrong.append(f"the sequencer halted: {said.strip()}")
            return
        log = check(self.book, YEAR)
        assert len(self.book.everything()) >= len(self.acknowledged) - found.lost  # keys are there
        for size, note in self.seen.items():
            root = read_checkpoint(note).root
            if size > log.checkpoint.size or root != root_of(log.hashes[:size]):
                found.wrong.append(f"the checkpoint of {size} leaves that was seen is contradicted")

    def _merged(self) -> bool:
        with self.book.owner() as connection:
            row = connection.execute(
                "SELECT (SELECT max(size) FROM audit.tree), EXISTS (SELECT FROM audit.pending)"
            ).fetchone()
        note = self.book.publication.checkpoint(YEAR)
        return not row[1] and note is not None and read_checkpoint(note).size == row[0]

    def _sequencer(self, forgets: str | None = None) -> "subprocess.Popen[str]":
        home, url = self.machine.home, self.machine.urls.sequencer
        command = ["-m", "tests.power.sequencer", home, url, ISSUER, forgets or self.forgets]
        return subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def machine(campaign) -> Iterator[Machine]:
    with open_folder() as folder:
        made = Machine(folder)
        try:
            try:
                made.make()
            except CannotRun as reason:
                campaign.tell(
                    "POWER CUTS COULD NOT BE RUN HERE",
                    promise=PROMISE,
                    observed=f"NOTHING WAS TESTED: {reason}",
                    count=0,
                )
                pytest.skip(f"POWER CUTS COULD NOT BE RUN HERE: {reason}")
            yield made
        finally:
            made.throw_away()


def test_no_power_cut_takes_what_was_acknowledged_or_seen(machine, campaign):
    seed = time.time_ns() if campaign.full else 20261126
    site, cuts, verdict = Site(machine, seed), 0, Verdict()
    try:
        while not verdict and cuts < campaign.size(capped=2, full=20):
            cuts += 1
            verdict = site.work_and_cut()
    finally:
        machine.switch_off()
    campaign.tell(
        f"power cuts under load, seed {seed}",
        promise=PROMISE,
        observed=f"{verdict}; {len(site.acknowledged)} acknowledged, {len(site.seen)} checkpoints"
        " seen",
        count=cuts,
    )
    assert not verdict, str(verdict)


@pytest.mark.parametrize("forgets", CONTROLS)
def test_a_machine_that_forgets_to_sync_is_caught(machine, campaign, forgets):
    site, cuts, verdict = Site(machine, 1, forgets), 0, Verdict()
    try:
        while not verdict and cuts < MOST_CUTS:
            cuts += 1
            verdict = site.work_and_cut()
    finally:
        machine.switch_off()
    campaign.tell(
        f"control: {forgets} is not synced, and the power is cut",
        promise="the same judgement catches it",
        observed=f"{len(site.acknowledged)} acknowledged; {verdict}",
        count=cuts,
    )
    assert verdict
    expected = {"publication": "published", "guard": "guard"}.get(forgets, "lost")
    assert expected in str(verdict)
