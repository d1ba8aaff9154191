"""Factories for tests of budgets: workers that spend, and what the database says of it."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg

from auth.budgets import Budgets, Charge
from auth.leases import Span
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import QuotaExhausted


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
