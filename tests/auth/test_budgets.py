"""Budgets: all windows or none, never late, early only by leases that lie open elsewhere."""

import asyncio
from typing import Any

import asyncpg
import pytest

from auth.leases import Span
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import QuotaExhausted, RateLimited, Unavailable
from tests.auth.spending import drawn, holder, of, run, workers


def at_once(coroutine: Any) -> Any:
    """The result of a coroutine that does not wait at all."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    pytest.fail("it waited")


def test_a_charge_tells_what_is_left_of_every_window(database_of_each: DatabaseUrls) -> None:
    async def work() -> None:
        async with workers(database_of_each) as (budgets,):
            name = holder()
            spans: dict[Span, int] = {"day": 1000, "month": 20_000}
            charge = await budgets.charge(name, "people", of(name, spans), 10)
            day, month = charge.states
            assert (day.name, day.quota, day.window) == ("people-day", 1000, 86_400)
            assert (day.remaining, month.remaining) == (990, 19_990)
            assert day.unit == "people"
            assert 0 < day.reset_after <= 86_400
            assert month.window in {days * 86_400 for days in (28, 29, 30, 31)}
            assert day.reset_after <= month.reset_after <= 31 * 86_400

    run(work)


def test_a_lease_that_covers_a_charge_makes_nobody_wait(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            for _ in range(2):
                await budgets.charge(name, "people", of(name, {"day": 10_000}), 1)
            for spent in range(3, 400):
                charge = at_once(budgets.charge(name, "people", of(name, {"day": 10_000}), 1))
                assert charge.states[0].remaining == 10_000 - spent
        assert drawn(database, name) == 399

    run(work)


def test_leases_shrink_as_the_budget_ends(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            sizes = []
            for spent in range(1, 801):
                await budgets.charge(name, "people", of(name, {"day": 800}), 1)
                sizes.append(drawn(database, name) - spent if spent % 10 == 0 else 0)
            assert max(sizes[:100]) > 80
            assert max(sizes[700:]) <= 100 // 8
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", of(name, {"day": 800}), 1)

    run(work)


def test_the_last_person_of_a_budget_is_answered_and_the_next_is_not(
    database_of_each: DatabaseUrls,
) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database_of_each) as (budgets,):
            for _ in range(20):
                await budgets.charge(name, "people", of(name, {"day": 100}), 5)
            with pytest.raises(QuotaExhausted) as refusal:
                await budgets.charge(name, "people", of(name, {"day": 100}), 1)
            assert 1 <= int(refusal.value.headers["Retry-After"]) <= 86_400
            assert budgets.states(name, "people", of(name, {"day": 100}))[0].remaining == 0

    run(work)


def test_a_charge_takes_from_all_windows_or_from_none(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            await budgets.charge(name, "people", of(name, {"day": 100, "month": 10}), 6)
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", of(name, {"day": 100, "month": 10}), 6)
            day, month = budgets.states(name, "people", of(name, {"day": 100, "month": 10}))
            assert (day.remaining, month.remaining) == (94, 4)
            await budgets.charge(name, "people", of(name, {"day": 100, "month": 10}), 4)
        assert drawn(database, name, "day") == 10
        assert drawn(database, name, "month") == 10

    run(work)


def test_a_refused_charge_leaves_what_is_left_to_others(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database, 2) as (first, second):
            await second.charge(name, "people", of(name, {"day": 100, "month": 50}), 20)
            with pytest.raises(QuotaExhausted):
                await first.charge(name, "people", of(name, {"day": 100, "month": 50}), 40)
            assert drawn(database, name, "day") == drawn(database, name, "month") == 20
            await second.charge(name, "people", of(name, {"day": 100, "month": 50}), 30)

    run(work)


def test_requests_and_people_are_budgets_of_their_own(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            await budgets.charge(name, "people", of(name, {"day": 5}), 5)
            await budgets.charge(name, "requests", of(name, {"day": 5}, "requests"), 5)
            with pytest.raises(RateLimited):
                await budgets.charge(name, "requests", of(name, {"day": 5}, "requests"), 1)

    run(work)


def test_a_cost_beyond_the_whole_budget_is_refused_without_asking(database: DatabaseUrls) -> None:
    async def work() -> None:
        async with workers(database) as (budgets,):
            pool = budgets._pool
            await pool.close()
            with pytest.raises(QuotaExhausted):
                await budgets.charge(holder(), "people", of("any", {"day": 10}), 11)

    run(work)


@pytest.mark.parametrize("cost", [0, -1])
def test_a_charge_that_would_hand_out_quota_is_an_error(database: DatabaseUrls, cost: int) -> None:
    async def work() -> None:
        async with workers(database) as (budgets,):
            with pytest.raises(ValueError, match="at least 1"):
                await budgets.charge(holder(), "people", of("any", {"day": 10}), cost)

    run(work)


def test_a_refund_returns_once_what_was_charged(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            charge = await budgets.charge(name, "people", of(name, {"day": 10}), 10)
            charge.refund()
            charge.refund()
            await budgets.charge(name, "people", of(name, {"day": 10}), 10)
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", of(name, {"day": 10}), 1)
        assert drawn(database, name) == 10

    run(work)


def test_a_stopped_worker_returns_what_it_did_not_spend(database_of_each: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database_of_each) as (budgets,):
            for _ in range(3):
                await budgets.charge(name, "people", of(name, {"day": 10_000}), 1)
            assert drawn(database_of_each, name) > 100
        assert drawn(database_of_each, name) == 3

    run(work)


def test_a_caller_that_went_away_costs_nothing(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            asking = asyncio.create_task(budgets.charge(name, "people", of(name, {"day": 10}), 10))
            await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert drawn(database, name) == 0

    run(work)


def test_no_database_means_no_charge_beyond_what_was_leased(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            for _ in range(2):
                await budgets.charge(name, "people", of(name, {"day": 80}), 1)
            leased = drawn(database, name) - 2
            await budgets._pool.close()
            for _ in range(leased):
                await budgets.charge(name, "people", of(name, {"day": 80}), 1)
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await budgets.charge(name, "people", of(name, {"day": 80}), 1)

    run(work)


def test_the_api_login_cannot_change_a_budget_past_the_functions(database: DatabaseUrls) -> None:
    async def work() -> None:
        async with await open_pool(database.api, name="b", size=1) as pool:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute("UPDATE disclosure.budget SET drawn = 0")

    run(work)
