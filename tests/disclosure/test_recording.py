"""The recording statement: of a batch, what no longer holds is refused, and nothing beside it."""

import asyncio
import os
from datetime import timedelta

import asyncpg
import pytest

from dtsen.audit.record import new_record_id
from dtsen.clock import Clock, key_epoch
from dtsen.disclosure.recording import Entry, Standing, record
from tests.disclosure.population import agreement, desk

EACH = 5
CLIENTS = ("batch-a", "batch-b", "batch-c")
AGO = timedelta(seconds=-1)


@pytest.fixture(scope="module")
def standings(population) -> dict[str, Standing]:
    """What the records of three agreements in force rest on, by client."""
    for client in CLIENTS:
        population.apply(agreement(client))

    async def work():
        async with desk(population) as one:
            return {client: standing(one.mandate(client)) for client in CLIENTS}

    return asyncio.run(work())


def standing(mandate) -> Standing:
    return Standing(
        typ="read",
        op=mandate.operation.id,
        client=mandate.token.client_id,
        client_epoch=mandate.client_epoch,
        token_expires=mandate.token.expires,
        agency=mandate.agency,
        agreement=mandate.agreement.terms.agreement,
        agreement_version=mandate.agreement.terms.version,
        agreement_epoch=mandate.agreement.epoch,
        agreement_ends=mandate.agreement.ends,
        purpose=mandate.purpose,
        restrictions_epoch=mandate.restrictions_epoch,
    )


def entry(on: Standing, **own) -> Entry:
    now = Clock().now()
    return Entry(
        id=new_record_id(int(now.timestamp() * 1000)),
        standing=on,
        key_epoch=key_epoch(now),
        outcome="found",
        status=200,
        leaf=os.urandom(64),
        disclosures=b"",
        **own,
    )


def recorded(population, entries: list[Entry]) -> frozenset:
    async def work():
        connection = await asyncpg.connect(population.urls.api)
        try:
            return (await record(connection, entries)).accepted
        finally:
            await connection.close()

    return asyncio.run(work())


BROKEN = {
    "client": lambda s: s._replace(client_epoch=s.client_epoch + 1),
    "client unknown": lambda s: s._replace(client="nobody"),
    "agreement": lambda s: s._replace(agreement_epoch=s.agreement_epoch + 1),
    "another's agreement": lambda s: s._replace(agreement="PKS-batch-c/2026", agreement_epoch=-1),
    "restrictions": lambda s: s._replace(restrictions_epoch=s.restrictions_epoch - 1),
    "token": lambda s: s._replace(token_expires=Clock().now() + AGO),
    "agreement's end": lambda s: s._replace(agreement_ends=Clock().now() + AGO),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_one_standing_lost_refuses_its_records_alone(population, standings, how):
    whole = [standings[client] for client in CLIENTS]
    broken = BROKEN[how](standings["batch-b"])
    entries = [entry(each) for _ in range(EACH) for each in (broken, *whole)]
    accepted = recorded(population, entries)
    assert accepted == {one.id for one in entries if one.standing is not broken}
    assert len(accepted) == EACH * len(whole)
    refused = next(one.id for one in entries if one.standing is broken)
    assert population.record(refused) is None


def test_each_record_says_what_its_own_standing_says(population, standings):
    entries = [entry(standings[client]) for _ in range(EACH) for client in CLIENTS]
    assert len(recorded(population, entries)) == len(entries)
    for one in entries:
        row = population.record(one.id)
        assert (row["client"], row["agency"]) == (one.standing.client, one.standing.agency)
        assert bytes(row["leaf"]) == one.leaf


def test_a_release_that_is_not_in_force_refuses_its_records_alone(population, standings):
    on, present = standings["batch-a"], population.samples.ordinal
    now, gone = entry(on, ordinal=present), entry(on, ordinal=present + 1_000)
    pinned = entry(on, ordinal=present, pinned=True)
    destroyed = entry(on, ordinal=present + 1_000, pinned=True)
    assert recorded(population, [gone, now, destroyed, pinned]) == {now.id, pinned.id}


def test_equal_standings_of_two_objects_are_two(population, standings):
    first, second = entry(standings["batch-a"]), entry(standings["batch-a"]._replace())
    assert first.standing is not second.standing
    assert recorded(population, [first, second]) == {first.id, second.id}
