"""Budgets: never late by any interleaving, early only by leases that lie open elsewhere."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from auth.budgets import Budgets, Charge, Span
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import QuotaExhausted, RateLimited, Unavailable
from tests.auth.make import MovedClock


def holder() -> str:
    return f"agreement:{secrets.token_hex(8)}"


def drawn(urls: DatabaseUrls, name: str, span: str = "day") -> int:
    """What the database says was drawn of a holder's budgets, over all windows."""
    with psycopg.connect(urls.owner) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(drawn), 0) FROM disclosure.budget WHERE (holder, span) = (%s, %s)",
            (name, span),
        ).fetchone()
    assert row is not None
    return int(row[0])


@asynccontextmanager
async def workers(
    urls: DatabaseUrls, number: int = 1, clock: Clock | None = None
) -> AsyncIterator[list[Budgets]]:
    """Workers on one database, each with a pool of its own; closed at the end."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for _ in range(number):
            pool = await stack.enter_async_context(await open_pool(urls.api, name="b", size=4))
            budgets = Budgets(pool, clock or Clock())
            stack.push_async_callback(budgets.close)
            made.append(budgets)
        yield made


async def accepted(budgets: Budgets, name: str, spans: dict[Span, int], cost: int) -> Charge | None:
    try:
        return await budgets.charge(name, "people", spans, cost)
    except QuotaExhausted:
        return None


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


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
            spans: dict[Span, int] = {"day": 1000, "month": 20_000}
            charge = await budgets.charge(holder(), "people", spans, 10)
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
                await budgets.charge(name, "people", {"day": 10_000}, 1)
            for spent in range(3, 400):
                charge = at_once(budgets.charge(name, "people", {"day": 10_000}, 1))
                assert charge.states[0].remaining == 10_000 - spent
        assert drawn(database, name) == 399

    run(work)


def test_leases_shrink_as_the_budget_ends(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            sizes = []
            for spent in range(1, 801):
                await budgets.charge(name, "people", {"day": 800}, 1)
                sizes.append(drawn(database, name) - spent if spent % 10 == 0 else 0)
            assert max(sizes[:100]) > 80
            assert max(sizes[700:]) <= 100 // 8
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", {"day": 800}, 1)

    run(work)


def test_the_last_person_of_a_budget_is_answered_and_the_next_is_not(
    database_of_each: DatabaseUrls,
) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database_of_each) as (budgets,):
            for _ in range(20):
                await budgets.charge(name, "people", {"day": 100}, 5)
            with pytest.raises(QuotaExhausted) as refusal:
                await budgets.charge(name, "people", {"day": 100}, 1)
            assert 1 <= int(refusal.value.headers["Retry-After"]) <= 86_400
            assert budgets.states(name, "people", {"day": 100})[0].remaining == 0

    run(work)


def test_a_charge_takes_from_all_windows_or_from_none(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            await budgets.charge(name, "people", {"day": 100, "month": 10}, 6)
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", {"day": 100, "month": 10}, 6)
            day, month = budgets.states(name, "people", {"day": 100, "month": 10})
            assert (day.remaining, month.remaining) == (94, 4)
            await budgets.charge(name, "people", {"day": 100, "month": 10}, 4)
        assert drawn(database, name, "day") == 10
        assert drawn(database, name, "month") == 10

    run(work)


def test_a_refused_charge_leaves_what_is_left_to_others(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database, 2) as (first, second):
            await second.charge(name, "people", {"day": 100, "month": 50}, 20)
            with pytest.raises(QuotaExhausted):
                await first.charge(name, "people", {"day": 100, "month": 50}, 40)
            assert drawn(database, name, "day") == drawn(database, name, "month") == 20
            await second.charge(name, "people", {"day": 100, "month": 50}, 30)

    run(work)


def test_requests_and_people_are_budgets_of_their_own(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            await budgets.charge(name, "people", {"day": 5}, 5)
            await budgets.charge(name, "requests", {"day": 5}, 5)
            with pytest.raises(RateLimited):
                await budgets.charge(name, "requests", {"day": 5}, 1)

    run(work)


def test_a_cost_beyond_the_whole_budget_is_refused_without_asking(database: DatabaseUrls) -> None:
    async def work() -> None:
        async with workers(database) as (budgets,):
            pool = budgets._pool
            await pool.close()
            with pytest.raises(QuotaExhausted):
                await budgets.charge(holder(), "people", {"day": 10}, 11)

    run(work)


@pytest.mark.parametrize("cost", [0, -1])
def test_a_charge_that_would_hand_out_quota_is_an_error(database: DatabaseUrls, cost: int) -> None:
    async def work() -> None:
        async with workers(database) as (budgets,):
            with pytest.raises(ValueError, match="at least 1"):
                await budgets.charge(holder(), "people", {"day": 10}, cost)

    run(work)


def test_a_refund_returns_once_what_was_charged(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            charge = await budgets.charge(name, "people", {"day": 10}, 10)
            charge.refund()
            charge.refund()
            await budgets.charge(name, "people", {"day": 10}, 10)
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", {"day": 10}, 1)
        assert drawn(database, name) == 10

    run(work)


def test_a_stopped_worker_returns_what_it_did_not_spend(database_of_each: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database_of_each) as (budgets,):
            for _ in range(3):
                await budgets.charge(name, "people", {"day": 10_000}, 1)
            assert drawn(database_of_each, name) > 100
        assert drawn(database_of_each, name) == 3

    run(work)


def test_many_at_once_draw_one_lease(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            charges = [budgets.charge(name, "people", {"day": 100_000}, 1) for _ in range(200)]
            await asyncio.gather(*charges)
            assert drawn(database, name) == 501, "the first alone, then one lease of 500 for all"

    run(work)


def test_nobody_takes_what_another_is_drawing_for(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            (await budgets.charge(name, "people", {"month": 520}, 400)).refund()
            (await budgets.charge(name, "people", {"day": 100_000}, 10)).refund()
            both: dict[Span, int] = {"day": 100_000, "month": 520}
            large = asyncio.create_task(budgets.charge(name, "people", both, 400))
            for _ in range(5):
                await asyncio.sleep(0)
            await budgets.charge(name, "people", both, 10)
            await large

    run(work)


def test_a_caller_that_went_away_costs_nothing(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            asking = asyncio.create_task(budgets.charge(name, "people", {"day": 10}, 10))
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
                await budgets.charge(name, "people", {"day": 80}, 1)
            leased = drawn(database, name) - 2
            await budgets._pool.close()
            for _ in range(leased):
                await budgets.charge(name, "people", {"day": 80}, 1)
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await budgets.charge(name, "people", {"day": 80}, 1)

    run(work)


def test_what_others_drew_shows_within_seconds(database: DatabaseUrls) -> None:
    async def work() -> None:
        name, clock = holder(), MovedClock()
        async with workers(database, 2, clock) as (first, second):
            for _ in range(2):
                await first.charge(name, "people", {"day": 100_000}, 1)
            await second.charge(name, "people", {"day": 100_000}, 90_000)
            clock.tick(11)
            charge = await first.charge(name, "people", {"day": 100_000}, 1)
            assert charge.states[0].remaining == 100_000 - 90_000 - 3

    run(work)


@pytest.fixture
def shift(database: DatabaseUrls) -> Any:
    """Moves the clock by which the database judges windows; put back at the end."""
    moved = """
    CREATE OR REPLACE FUNCTION disclosure.window_start(span text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE SET timezone = 'UTC'
    RETURN date_trunc(span, (clock_timestamp() + interval '{}') AT TIME ZONE 'Asia/Jakarta')
        AT TIME ZONE 'Asia/Jakarta'
    """

    def move(interval: str) -> None:
        with psycopg.connect(database.owner) as connection:
            connection.execute(moved.format(interval).encode())

    yield move
    move("0 s")


def test_a_lease_dies_with_its_window(database: DatabaseUrls, shift: Any) -> None:
    async def work() -> None:
        name, clock = holder(), MovedClock()
        async with workers(database, 1, clock) as (budgets,):
            for _ in range(2):
                charge = await budgets.charge(name, "people", {"day": 100}, 10)
            held = drawn(database, name)
            shift("1 day")
            clock.tick(86_400)
            fresh = await budgets.charge(name, "people", {"day": 100}, 40)
            assert fresh.states[0].remaining == 60
            assert drawn(database, name) == held + 40, "nothing of yesterday was spent today"
            charge.refund()
            assert budgets.states(name, "people", {"day": 100})[0].remaining == 60
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", {"day": 100}, 61)

    run(work)


def test_a_lease_dies_with_its_window_even_if_it_was_drawn_just_now(
    database: DatabaseUrls, shift: Any
) -> None:
    async def work() -> None:
        name, clock = holder(), MovedClock()
        async with workers(database, 1, clock) as (budgets,):
            yesterday = await until_just_before_midnight(database, budgets, name, clock)
            clock.tick(5.1)
            shift("1 day")
            await budgets.charge(name, "people", {"day": 1000}, 1)
            assert drawn(database, name) == yesterday + 1

    run(work)


async def until_just_before_midnight(
    database: DatabaseUrls, budgets: Budgets, name: str, clock: MovedClock
) -> int:
    """Five seconds before the window ends, with a lease just drawn; what was drawn so far."""
    charge = await budgets.charge(name, "people", {"day": 1000}, 1)
    clock.tick(charge.states[0].reset_after - 5)
    await budgets.charge(name, "people", {"day": 1000}, 1)
    return drawn(database, name)


def test_at_the_edge_of_a_window_the_database_says_which_one_it_is(
    database: DatabaseUrls, shift: Any
) -> None:
    """A worker whose clock lags still thinks it is yesterday: it asks, and is charged today."""

    async def work() -> None:
        name, clock = holder(), MovedClock()
        async with workers(database, 1, clock) as (budgets,):
            yesterday = await until_just_before_midnight(database, budgets, name, clock)
            clock.tick(4.8)
            shift("1 day")
            charge = await budgets.charge(name, "people", {"day": 1000}, 1)
            assert charge.states[0].remaining == 999
            assert drawn(database, name) == yesterday + 1

    run(work)


Step = tuple[int, int, bool]
steps = st.lists(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(1, 40), st.booleans()), min_size=1, max_size=12
    ),
    min_size=1,
    max_size=6,
)
PROPERTY = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PROPERTY
@given(rounds=steps, ceiling=st.integers(1, 400))
def test_no_interleaving_of_two_workers_overspends(
    database: DatabaseUrls, rounds: list[list[Step]], ceiling: int
) -> None:
    async def work() -> None:
        name = holder()
        spans: dict[Span, int] = {"day": ceiling, "month": ceiling + 50}
        spent = 0
        async with workers(database, 2) as both:
            for together in rounds:
                asked = [accepted(both[w], name, spans, cost) for w, cost, _ in together]
                charges = await asyncio.gather(*asked)
                for (_, cost, gives_back), charge in zip(together, charges, strict=True):
                    if charge is None:
                        continue
                    spent += cost
                    assert 0 <= charge.states[0].remaining <= ceiling
                    if gives_back:
                        charge.refund()
                        spent -= cost
                assert spent <= drawn(database, name) <= ceiling
        for span in spans:
            assert drawn(database, name, span) == spent

    run(work)


@PROPERTY
@given(costs=st.lists(st.integers(1, 60), max_size=40), ceiling=st.integers(1, 500))
def test_a_worker_alone_never_refuses_early(
    database: DatabaseUrls, costs: list[int], ceiling: int
) -> None:
    async def work() -> None:
        name, spent = holder(), 0
        async with workers(database) as (budgets,):
            for cost in costs:
                charge = await accepted(budgets, name, {"day": ceiling}, cost)
                assert (charge is not None) == (cost <= ceiling - spent)
                if charge is not None:
                    spent += cost
                    assert charge.states[0].remaining == ceiling - spent

    run(work)


def test_workers_that_draw_and_stop_together_do_not_block_each_other(
    database: DatabaseUrls,
) -> None:
    async def work() -> None:
        name = holder()
        spans: dict[Span, int] = {"month": 10**6, "minute": 10**6, "day": 10**6}
        turned: dict[Span, int] = dict(reversed(spans.items()))
        for _ in range(15):
            async with workers(database, 2) as (first, second):
                await asyncio.gather(
                    *(first.charge(name, "people", spans, 600) for _ in range(10)),
                    *(second.charge(name, "people", turned, 600) for _ in range(10)),
                )
                await asyncio.gather(first.close(), second.close())

    run(work)


def test_the_api_login_cannot_change_a_budget_past_the_functions(database: DatabaseUrls) -> None:
    async def work() -> None:
        async with await open_pool(database.api, name="b", size=1) as pool:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute("UPDATE disclosure.budget SET drawn = 0")

    run(work)
