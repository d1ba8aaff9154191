"""Authority: what a worker knows of clients, agreements, restrictions and the release in force."""

import asyncio

import asyncpg
import pytest

from dtsen.clock import Clock
from dtsen.disclosure import agreements
from dtsen.errors import Unavailable
from dtsen.releases.activate import activate
from tests.disclosure.population import agreement, desk

SOON = 1.0


async def until(told, clock: Clock) -> float:
    """Seconds until something holds; a second is the promise."""
    began = clock.monotonic()
    while not told():
        assert clock.monotonic() - began < SOON, "not told within a second"
        await asyncio.sleep(0.01)
    return clock.monotonic() - began


def test_an_agreement_applied_and_revoked_is_known_within_a_second(population):
    async def work():
        async with desk(population) as one:
            authority = one.authority
            await asyncio.to_thread(population.apply, agreement("known"))
            await until(lambda: "PKS-known/2026" in authority.current.agreements, one.clock)
            assert authority.current.clients["known"].agreement is not None
            with population.connect() as connection:
                await asyncio.to_thread(agreements.revoke, connection, "PKS-known/2026")
            await until(lambda: "PKS-known/2026" not in authority.current.agreements, one.clock)
            assert authority.current.clients["known"].agreement is None

    asyncio.run(work())


def test_an_activation_is_known_within_a_second(population):
    async def work():
        async with desk(population) as one:
            before = one.authority.current.marks
            with population.connect() as connection:
                await asyncio.to_thread(activate, connection, "2026-Q3")
                connection.execute("UPDATE registry.pointer SET moved_at = clock_timestamp()")
            await until(lambda: one.authority.current.marks != before, one.clock)

    asyncio.run(work())


def test_many_who_ask_for_a_fresh_snapshot_share_two_readings(population, monkeypatch):
    async def work():
        async with desk(population) as one:
            readings = 0
            read = one.authority._read

            async def counted():
                nonlocal readings
                readings += 1
                return await read()

            monkeypatch.setattr(one.authority, "_read", counted)
            await asyncio.gather(*(one.authority.refresh() for _ in range(100)))
            return readings

    assert asyncio.run(work()) <= 2


def test_a_snapshot_asked_for_after_a_change_holds_it(population):
    """A reading that began before the change must not be handed out."""

    async def work():
        async with desk(population) as one:
            for version in range(1, 6):
                early = asyncio.create_task(one.authority.refresh())
                await asyncio.sleep(0)
                await asyncio.to_thread(population.apply, agreement("fresh", version=version))
                snapshot = await one.authority.refresh()
                assert snapshot.agreements["PKS-fresh/2026"].terms.version == version
                await early

    asyncio.run(work())


def test_an_agreement_lends_nothing_to_another_agency(population):
    population.apply(agreement("lender"))
    with population.connect() as connection:
        connection.execute(
            "SELECT disclosure.set_authority('client', 'lender', true, 'somebody-else')"
        )

    async def work():
        async with desk(population) as one:
            return one.authority.current.clients["lender"]

    client = asyncio.run(work())
    assert client.agency == "somebody-else"
    assert client.agreement is None


def test_an_agreement_oversees_by_its_own_words_alone(population):
    """What the agency is under another agreement, or was under one that ended, lends nothing."""
    population.apply(agreement("seen"))
    other = agreement("seer").replace("agency-seer", "agency-seen")
    population.apply(other.replace("role: pengguna", "role: pengawas"))

    async def roles():
        async with desk(population) as one:
            in_force = one.authority.current.agreements.items()
            return {
                name: each.role
                for name, each in in_force
                if each.terms.agency.code == "agency-seen"
            }

    assert asyncio.run(roles()) == {"PKS-seen/2026": "pengguna", "PKS-seer/2026": "pengawas"}
    with population.connect() as connection:
        agreements.revoke(connection, "PKS-seer/2026")
    assert asyncio.run(roles()) == {"PKS-seen/2026": "pengguna"}


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_is_not_newer_is_refused(population, version):
    population.apply(agreement("older", version=10 * version))
    with pytest.raises(agreements.AgreementRefused):
        population.apply(agreement("older", version=10 * version - 1))


def test_a_client_under_two_agreements_is_refused(population):
    population.apply(agreement("twice"))
    other = agreement("twice").replace("PKS-twice", "PKS-other")
    with pytest.raises(agreements.AgreementRefused, match="twice"):
        population.apply(other)


@pytest.mark.parametrize("outage", [asyncpg.InternalClientError, asyncpg.InterfaceError, OSError])
def test_polling_goes_on_after_any_outage(population, monkeypatch, outage):
    async def work():
        async with desk(population) as one:
            fetch = asyncpg.Pool.fetch
            failed = asyncio.Event()

            async def failing(*_, **__):
                failed.set()
                raise outage("cut off")

            monkeypatch.setattr(asyncpg.Pool, "fetch", failing)
            await asyncio.wait_for(failed.wait(), 5)
            monkeypatch.setattr(asyncpg.Pool, "fetch", fetch)
            before = one.authority._read_at
            await until(lambda: one.authority._read_at > before, one.clock)

    asyncio.run(work())


def test_a_reading_that_is_cut_off_is_an_outage_to_whoever_waits(population, monkeypatch):
    async def work():
        async with desk(population) as one:

            async def failing(*_, **__):
                raise asyncpg.InternalClientError("cut off")

            with monkeypatch.context() as broken:
                broken.setattr(asyncpg.Pool, "fetch", failing)
                with pytest.raises(Unavailable):
                    await one.authority.refresh()

    asyncio.run(work())
