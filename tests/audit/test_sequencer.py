"""The sequencer: nothing is lost, nothing indexed twice, and complete means complete."""

import asyncio
import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import asyncpg
import psycopg
import pytest

from dtsen.audit import keeper, sequencer as module
from dtsen.audit.merging import merge
from dtsen.clock import Clock
from dtsen.database import connect
from dtsen.disclosure.recording import record
from dtsen.keys import Keyring, Purpose
from tests.audit.ledger import Deed, nik, unique

SECONDS = 60
"""Bound of every wait; each ends with its event."""


@contextmanager
def leading(ledger):
    one = ledger.sequencer()
    with one.connect() as connection:
        one.begin(connection)
        yield one, connection


def recorded_at(ledger, record_id):
    with ledger.owner() as connection:
        (at,) = connection.execute(
            "SELECT recorded_at FROM audit.record WHERE id = %s", (record_id,)
        ).fetchone()
    return at


def pending(ledger):
    with ledger.owner() as connection:
        return connection.execute("SELECT count(*) FROM audit.pending").fetchone()[0]


def test_what_is_pending_is_indexed_and_complete_until_passes_it(ledger):
    deed = Deed(
        agency="indeks",
        niks=(nik(1), nik(2)),
        kks=(nik(3),),
        officer="sri",
        case_ref="kasus",
    )
    entry = ledger.entry(deed)
    ledger.run(ledger._record([entry]))
    ledger.merge()
    cut = [entry.subjects[:16], entry.subjects[16:], entry.families, entry.officer, entry.case_ref]
    assert ledger.mentions(entry.id) == set(cut)
    assert pending(ledger) == 0
    assert ledger.complete_until() > recorded_at(ledger, entry.id)


def test_complete_until_never_covers_a_record_that_commits_later(ledger):
    late = ledger.entry(Deed(agency=unique("terlambat"), niks=(nik(8),)))

    async def work():
        writer = await asyncpg.connect(ledger.urls.api)
        try:
            transaction = writer.transaction()
            await transaction.start()
            await record(writer, [late])
            at = await writer.fetchval("SELECT clock_timestamp()")
            with leading(ledger) as (one, connection):
                quick = ledger.entry(Deed(agency=unique("cepat")))
                other = await asyncpg.connect(ledger.urls.api)
                await record(other, [quick])
                await other.close()
                one.round(connection)  # finds the writer
                one.round(connection)  # still waits for it
                assert pending(ledger) == 0  # whoever committed is indexed meanwhile
                assert ledger.complete_until() < at
                before = ledger.complete_until()
                await transaction.commit()
                one.round(connection)  # nobody from before that instant is left
                one.round(connection)
            return before
        finally:
            await writer.close()

    before = ledger.run(work())
    assert before <= recorded_at(ledger, late.id) < ledger.complete_until()
    assert ledger.mentions(late.id) == {late.subjects}


def test_a_writer_that_has_not_read_the_clock_yet_does_not_hold_the_log_up(ledger):
    ledger.merge()
    with (
        connect(ledger.urls.owner) as idle,
        leading(ledger) as (one, connection),
    ):
        idle.execute("SELECT count(*) FROM audit.record")  # a reader's lock is no writer's
        before = ledger.complete_until()
        one.round(connection)
        assert ledger.complete_until() > before


def test_whoever_holds_the_log_up_is_named(ledger, caplog):
    with (
        connect(ledger.urls.owner) as idle,
        leading(ledger) as (one, connection),
        caplog.at_level(logging.WARNING),
    ):
        idle.execute("LOCK TABLE audit.record IN ROW EXCLUSIVE MODE")
        one.round(connection)
        assert caplog.messages == []
        one._horizon.since -= module.SLOW_WRITER_SECONDS + 1
        one.round(connection)
        one.round(connection)
        (message,) = caplog.messages
        assert f"backends {idle.info.backend_pid} have held" in message


def test_under_steady_writing_the_log_goes_on_being_complete(ledger):
    stop = Event()

    async def keep_writing():
        connection = await asyncpg.connect(ledger.urls.api)
        while not stop.is_set():
            await record(connection, [ledger.entry(Deed(agency="terus", niks=(nik(9),)))])
        await connection.close()

    writers = [Thread(target=asyncio.run, args=(keep_writing(),)) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        with leading(ledger) as (one, connection):
            seen = [ledger.complete_until()]
            while len(seen) < 20:
                one.round(connection)
                if ledger.complete_until() != seen[-1]:
                    seen.append(ledger.complete_until())
                    with ledger.owner() as owner:
                        ((missing,),) = owner.execute(
                            "SELECT count(*) FROM audit.record r WHERE r.agency = 'terus'"
                            " AND r.recorded_at < %s AND NOT EXISTS (SELECT FROM audit.mention m"
                            " WHERE m.recorded_at = r.recorded_at AND m.record = r.id)",
                            (seen[-1],),
                        ).fetchall()
                    assert missing == 0
    finally:
        stop.set()
        for writer in writers:
            writer.join(SECONDS)
    assert seen == sorted(seen)


def test_of_two_sequencers_one_waits_and_each_record_is_taken_once(ledger):
    ledger.merge()
    ledger.write(*(Deed(agency=unique("dua"), niks=(nik(n),)) for n in range(500)))
    first, second = ledger.sequencer(), ledger.sequencer()
    with second.connect() as waiting:
        with first.connect() as leader:
            assert first.lead(leader)
            assert not second.lead(waiting)
        assert lead_once_free(second, waiting)
    # Even if both believed they led, the rows themselves are taken once.
    with first.connect() as one, second.connect() as other:
        taken = []
        threads = [Thread(target=lambda c=c: taken.append(drain(c))) for c in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
    assert sum(taken) == 500
    assert pending(ledger) == 0


def drain(connection):
    total = 0
    while taken := merge(connection, 50):
        total += taken
    return total


def lead_once_free(one, connection):
    """The other's session ends when the server has read its goodbye, which sends no news."""
    return any(one.lead(connection) for _ in range(1000))


def test_a_pending_record_that_the_log_lacks_is_told_and_does_not_stop_the_rest(ledger, caplog):
    lost, kept = ledger.write(Deed(niks=(nik(1),)), Deed(niks=(nik(2),)))
    with ledger.tampering() as owner:
        owner.execute("DELETE FROM audit.record WHERE id = %s", (lost,))
    ledger.merge()
    assert caplog.messages == ["sequencer: 1 records were pending that the log lacks"]
    assert len(ledger.mentions(kept)) == 1


def test_partitions_and_keys_of_the_next_month_are_there_weeks_ahead(ledger, tmp_path):
    instant = datetime(2027, 3, 1, 0, 1, tzinfo=UTC)
    keyring = Keyring(tmp_path / "keys")
    with ledger.sequencer().connect() as connection:
        one = module.Sequencer(ledger.urls.sequencer, keyring, Clock(), ledger.keeper())
        one.upkeep(connection, instant)
    assert keyring.versions(Purpose.SUBJECT_INDEX) == ["2027-03", "2027-04"]
    ledger.write(Deed(at=instant + timedelta(days=31), niks=(nik(1),)))
    ledger.merge()


def test_expired_proofs_are_forgotten_and_others_kept(ledger):
    with ledger.owner() as connection:
        connection.execute(
            "INSERT INTO disclosure.used_proof (kind, holder, jti, expires) VALUES"
            " ('assertion', 'x', 'old', now() - interval '1 s'),"
            " ('assertion', 'x', 'new', now() + interval '1 h')"
        )
        with leading(ledger) as (one, session):
            one.upkeep(session, datetime.now(UTC))
        left = connection.execute("SELECT jti FROM disclosure.used_proof").fetchall()
    assert left == [(b"new",)]


def test_making_partitions_never_makes_writers_queue_for_long(ledger):
    instant = datetime(2028, 3, 1, tzinfo=UTC)
    with (
        connect(ledger.urls.owner) as idle,
        leading(ledger) as (one, connection),
    ):
        idle.execute("LOCK TABLE audit.record IN ROW EXCLUSIVE MODE")
        one.upkeep(connection, instant)  # gives up after half a second
        ledger.write(Deed())
    with leading(ledger) as (one, connection):
        one.upkeep(connection, instant)
    with ledger.owner() as owner:
        assert owner.execute("SELECT to_regclass('audit.record_2028_04')").fetchone() != (None,)


def test_the_sequencers_login_opens_nobody_and_changes_no_record(ledger):
    for statement in (
        "SELECT disclosures FROM audit.record",
        "UPDATE audit.record SET outcome = 'x'",
        "DELETE FROM audit.mention",
        "UPDATE audit.leaf SET record = NULL",
        "DELETE FROM audit.tile",
        "UPDATE audit.checkpoint SET note = ''",
        "DELETE FROM audit.tree",
        "SELECT holder FROM disclosure.used_proof",
        "SELECT kind FROM disclosure.authority",
    ):
        with (
            leading(ledger) as (_, connection),
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


def test_a_backlog_is_indexed_before_the_log_is_called_complete(ledger, monkeypatch):
    ledger.merge()
    monkeypatch.setattr(keeper, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(keeper, "MOST_MERGES", 1)
    ids = ledger.write(*(Deed(niks=(nik(n),)) for n in range(7)))
    times = sorted(recorded_at(ledger, one) for one in ids)
    with leading(ledger) as (one, connection):
        assert one.round(connection) == 4
        assert ledger.complete_until() <= times[4]
        assert one.round(connection) == 3
        assert ledger.complete_until() > times[6]
