"""Factories for tests of budgets: workers that spend, and what the database says of it."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg

from auth.budgets import Budgets
from auth.leases import Ceilings, Charge, Line, Span, Unit
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import QuotaExhausted


def holder() -> str:
    return f"agreement:{secrets.token_hex(8)}"


def of(name: str, spans: dict[Span, int], unit: Unit = "people") -> Ceilings:
    """The lines of one holder."""
    return {Line(name, span, f"{unit}-{span}"): ceiling for span, ceiling in spans.items()}


def drawn(urls: DatabaseUrls, name: str, span: str = "day") -> int:
    """What the database says was drawn of a holder's budgets, over all windows."""
    with psycopg.connect(urls.owner) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(drawn), 0) FROM disclosure.budget WHERE (holder, span) = (%s, %s)",
            (name, span),
        ).fetchone()
    assert row is not None
    return int(row[0])


_WINDOWS = """
CREATE OR REPLACE FUNCTION disclosure.window_start(span text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE SET timezone = 'UTC'
RETURN date_trunc(span, (clock_timestamp() + interval '{}') AT TIME ZONE 'Asia/Jakarta')
    AT TIME ZONE 'Asia/Jakarta'
"""


@contextmanager
def shifted(urls: DatabaseUrls) -> Iterator[Callable[[str], None]]:
    """Moves the clock by which the database judges windows; put back at the end."""

    def move(interval: str) -> None:
        with psycopg.connect(urls.owner) as connection:
            connection.execute(_WINDOWS.format(interval).encode())

    try:
        yield move
    finally:
        move("0 s")


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
        return await budgets.charge(name, "people", of(name, spans), cost)
    except QuotaExhausted:
        return None


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())
