"""A lease belongs to one window by the clock of the database, and dies with it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auth.budgets import Budgets
from dtsen.database import DatabaseUrls
from dtsen.errors import QuotaExhausted
from tests.auth.make import MovedClock
from tests.auth.spending import drawn, holder, of, run, shifted, workers


def test_what_others_drew_shows_within_seconds(database: DatabaseUrls) -> None:
    async def work() -> None:
        name, clock = holder(), MovedClock()
        async with workers(database, 2, clock) as (first, second):
            for _ in range(2):
                await first.charge(name, "people", of(name, {"day": 100_000}), 1)
            await second.charge(name, "people", of(name, {"day": 100_000}), 90_000)
            clock.tick(11)
            charge = await first.charge(name, "people", of(name, {"day": 100_000}), 1)
            assert charge.states[0].remaining == 100_000 - 90_000 - 3

    run(work)


@pytest.fixture
def shift(database: DatabaseUrls) -> Iterator[Callable[[str], None]]:
    with shifted(database) as move:
        yield move


def test_a_lease_dies_with_its_window(database: DatabaseUrls, shift: Any) -> None:
    async def work() -> None:
        name, clock = holder(), MovedClock()
        async with workers(database, 1, clock) as (budgets,):
            for _ in range(2):
                charge = await budgets.charge(name, "people", of(name, {"day": 100}), 10)
            held = drawn(database, name)
            shift("1 day")
            clock.tick(86_400)
            fresh = await budgets.charge(name, "people", of(name, {"day": 100}), 40)
            assert fresh.states[0].remaining == 60
            assert drawn(database, name) == held + 40, "nothing of yesterday was spent today"
            charge.refund()
            assert budgets.states(name, "people", of(name, {"day": 100}))[0].remaining == 60
            with pytest.raises(QuotaExhausted):
                await budgets.charge(name, "people", of(name, {"day": 100}), 61)

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
            await budgets.charge(name, "people", of(name, {"day": 1000}), 1)
            assert drawn(database, name) == yesterday + 1

    run(work)


async def until_just_before_midnight(
    database: DatabaseUrls, budgets: Budgets, name: str, clock: MovedClock
) -> int:
    """Five seconds before the window ends, with a lease just drawn; what was drawn so far."""
    charge = await budgets.charge(name, "people", of(name, {"day": 1000}), 1)
    clock.tick(charge.states[0].reset_after - 5)
    await budgets.charge(name, "people", of(name, {"day": 1000}), 1)
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
            charge = await budgets.charge(name, "people", of(name, {"day": 1000}), 1)
            assert charge.states[0].remaining == 999
            assert drawn(database, name) == yesterday + 1

    run(work)
