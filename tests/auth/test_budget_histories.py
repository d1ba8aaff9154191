"""Recorded histories of workers that spend, end, are killed, change version, across a day's end.

Judged afterwards from what was recorded alone: of no budget was more accepted in a window than it
allows. The slack is nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import HealthCheck, example, given, settings, strategies as st

from auth.budgets import Budgets
from auth.leases import Ceilings, Line
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import QuotaExhausted
from tests.auth.make import MovedClock
from tests.auth.spending import drawn, holder, run, shifted

DAY = 86_400
Asked = tuple[int, str, str, int, bool]

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("charge"),
            st.lists(
                st.tuples(
                    st.integers(0, 2),  # worker
                    st.sampled_from(["besar", "kecil"]),
                    st.sampled_from(["SATU", "DUA"]),
                    st.integers(1, 30),
                    st.booleans(),  # given back
                ),
                min_size=1,
                max_size=8,
            ),
        ),
        st.tuples(st.just("end"), st.integers(0, 2)),
        st.tuples(st.just("kill"), st.integers(0, 2)),
        st.tuples(st.just("version"), st.integers(20, 150)),
        st.tuples(st.just("midnight"), st.just(0)),
    ),
    min_size=2,
    max_size=14,
)


LOWERED_BETWEEN_LEASES: list[Any] = [
    ("charge", [(1, "besar", "SATU", 1, True)]),  # what it holds, the other worker knows nothing of
    ("charge", [(0, "besar", "SATU", 20, False)]),
    ("version", 20),
    ("charge", [(1, "besar", "SATU", 1, False)]),
]


def ceilings_of(name: str, day: int, client: str, purpose: str) -> Ceilings:
    made = {
        Line(f"{name}:agency", "day", "people-day"): day,
        Line(f"{name}:agency", "month", "people-month"): 500,
    }
    if client == "kecil":
        made[Line(f"{name}:kecil", "day", "client-people-day")] = day // 2
    if purpose == "DUA":
        made[Line(f"{name}:DUA", "day", "purpose-people-day")] = day // 3
    return made


class Story:
    """Three workers of one agency, and the record of what they accepted in which window."""

    def __init__(self, pools: Sequence[Any], shift: Callable[[str], None]) -> None:
        self.name = holder()
        self.accepted: Counter[tuple[Line, Any]] = Counter()
        self.highest: Counter[Line] = Counter()
        self._pools = pools
        self._shift = shift
        self._clock = MovedClock()
        self._ceiling = 100
        self._day = 0
        self.alive = [Budgets(pool, self._clock) for pool in pools]

    async def charge(self, asked: Sequence[Asked]) -> None:
        await asyncio.gather(*(self._one(*each) for each in asked))

    async def end(self, worker: int) -> None:
        await self.alive[worker].close()
        await self.kill(worker)

    async def kill(self, worker: int) -> None:
        """Nothing is returned of what it held."""
        self.alive[worker] = Budgets(self._pools[worker], self._clock)

    async def version(self, ceiling: int) -> None:
        self._ceiling = ceiling

    async def midnight(self, _: int) -> None:
        self._day += 1
        self._shift(f"{self._day} days")
        self._clock.tick(DAY)

    async def _one(self, worker: int, client: str, purpose: str, cost: int, back: bool) -> None:  # noqa: FBT001 - drawn
        lines = ceilings_of(self.name, self._ceiling, client, purpose)
        for line, most in lines.items():
            self.highest[line] = max(self.highest[line], most)
        try:
            charge = await self.alive[worker].charge(self.name, "people", lines, cost)
        except QuotaExhausted:
            return
        windows = [(line, starts) for line, (_, starts) in zip(lines, charge.windows, strict=True)]
        for line, starts in windows:
            self.accepted[line, starts] += cost
            assert self.accepted[line, starts] <= lines[line], "beyond the version in force"
        if back:
            charge.refund()
            for window in windows:
                self.accepted[window] -= cost


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=steps)
@example(told=LOWERED_BETWEEN_LEASES)
def test_no_history_exceeds_a_budget(database: DatabaseUrls, told: list[Any]) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            shift = stack.enter_context(shifted(database))
            pools = [
                await stack.enter_async_context(await open_pool(database.api, name="b", size=2))
                for _ in range(3)
            ]
            story = Story(pools, shift)
            for what, value in told:
                await getattr(story, what)(value)
            for budgets in story.alive:
                await budgets.close()
        judge(database, story)

    run(work)


def judge(database: DatabaseUrls, story: Story) -> None:
    totals: Counter[Line] = Counter()
    for (line, _), spent in story.accepted.items():
        assert spent <= story.highest[line]
        totals[line] += spent
    for line, spent in totals.items():
        assert spent <= drawn(database, line.holder, line.span)
