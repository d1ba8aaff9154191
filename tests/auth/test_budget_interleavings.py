"""Budgets under concurrency: no interleaving overspends, none draws twice."""

import asyncio

from hypothesis import HealthCheck, given, settings, strategies as st

from auth.budgets import LARGEST_LEASE
from auth.leases import Span
from dtsen.database import DatabaseUrls
from tests.auth.spending import accepted, drawn, holder, of, run, workers

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
                    *(first.charge(name, "people", of(name, spans), 600) for _ in range(10)),
                    *(second.charge(name, "people", of(name, turned), 600) for _ in range(10)),
                )
                await asyncio.gather(first.close(), second.close())

    run(work)


def test_many_at_once_draw_one_lease(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            charges = [
                budgets.charge(name, "people", of(name, {"day": 100_000}), 1) for _ in range(200)
            ]
            await asyncio.gather(*charges)
            assert drawn(database, name) == 1 + LARGEST_LEASE, "one alone, one lease for all"

    run(work)


def test_nobody_takes_what_another_is_drawing_for(database: DatabaseUrls) -> None:
    async def work() -> None:
        name = holder()
        async with workers(database) as (budgets,):
            (await budgets.charge(name, "people", of(name, {"month": 520}), 400)).refund()
            (await budgets.charge(name, "people", of(name, {"day": 100_000}), 10)).refund()
            both: dict[Span, int] = {"day": 100_000, "month": 520}
            large = asyncio.create_task(budgets.charge(name, "people", of(name, both), 400))
            for _ in range(5):
                await asyncio.sleep(0)
            await budgets.charge(name, "people", of(name, both), 10)
            await large

    run(work)
