"""Refusals too many to record one by one: one record per cause, caller and minute, with a count."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from dtsen.audit.record import RecordKeys, read_disclosures
from dtsen.clock import Clock
from dtsen.database import open_pool
from dtsen.disclosure import tally as module
from dtsen.disclosure.notes import Notes
from dtsen.disclosure.tally import Tally

AGENCY = "agency-counted"


class MovedClock(Clock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.instant = datetime.now(UTC).replace(second=10, microsecond=0)

    def now(self) -> datetime:
        return self.instant


def run(population, work):
    async def around():
        pool = await open_pool(population.urls.api, name="tally", size=1)
        clock = MovedClock()
        notes = Notes(pool, population.keyring, clock)
        made = Tally(notes, clock, lambda client: AGENCY if client == "counted" else None)
        try:
            return await work(made, clock, pool)
        finally:
            if not pool.is_closing():
                await pool.close()

    return asyncio.run(around())


def written(population, cause: str) -> list[dict[str, object]]:
    with population.connect() as connection:
        rows = connection.execute(
            "SELECT id, leaf, disclosures, key_epoch, agency, client, status, typ"
            " FROM audit.record WHERE outcome = %s ORDER BY recorded_at",
            (cause,),
        ).fetchall()
    found = []
    for record_id, leaf, disclosures, epoch, agency, client, status, typ in rows:
        keys = RecordKeys(population.keyring, epoch)
        told = json.loads(leaf)
        found.append(
            {
                "count": told["count"],
                "agency": agency,
                "client": client,
                "status": status,
                "typ": typ,
                "address": read_disclosures(keys.unseal(record_id, disclosures))["src_ip"],
            }
        )
    return found


def test_a_minute_of_one_cause_is_one_record_with_its_count(population, request):
    cause = f"cause-{request.node.name[-12:-1]}"

    async def work(tally, clock, _):
        for _ in range(5):
            tally.count(cause, 429, client="counted", address="198.51.100.7")
        await tally.flush()
        assert written(population, cause) == []
        clock.instant += timedelta(minutes=1)
        tally.count(cause, 429, client="counted", address=None)
        await tally.flush()
        assert [one["count"] for one in written(population, cause)] == [5]
        await tally.close()

    run(population, work)
    first, second = written(population, cause)
    assert (first["count"], second["count"]) == (5, 1)
    assert (first["agency"], first["client"], first["typ"]) == (AGENCY, "counted", "throttled")
    assert first["address"] is None


def test_a_stranger_is_counted_by_address(population, request):
    cause = f"stranger-{request.node.name[-12:-1]}"

    async def work(tally, _, __):
        tally.count(cause, 401, client=None, address="198.51.100.8")
        tally.count(cause, 401, client=None, address="198.51.100.8")
        tally.count(cause, 401, client=None, address="198.51.100.9")
        await tally.close()

    run(population, work)
    told = {one["address"]: one["count"] for one in written(population, cause)}
    assert told == {"198.51.100.8": 2, "198.51.100.9": 1}
    assert {one["typ"] for one in written(population, cause)} == {"denied"}


def test_a_flood_from_ever_new_addresses_does_not_grow_without_end(population, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEYS", 3)

    async def work(tally, _, __):
        for number in range(50):
            tally.count("flood", 401, client=None, address=f"198.51.100.{number}")
        return len(tally._counts)

    assert run(population, work) <= 4


def test_counts_that_cannot_be_written_are_kept(population, request):
    cause = f"kept-{request.node.name[-12:-1]}"

    async def work(tally, _, pool):
        tally.count(cause, 503, client="counted", address=None)
        await pool.close()
        await tally.flush(everything=True)
        return sum(tally._counts.values())

    assert run(population, work) == 1
    assert written(population, cause) == []


@pytest.mark.parametrize("status", [429, 503])
def test_what_was_throttled_says_so(population, status, request):
    cause = f"throttled-{status}-{request.node.name[-12:-1]}"

    async def work(tally, _, __):
        tally.count(cause, status, client="counted", address=None)
        await tally.close()

    run(population, work)
    assert [(one["typ"], one["status"]) for one in written(population, cause)] == [
        ("throttled", status)
    ]
