"""Searching for what no index finds: newest first, in steps of time, within a page's patience.

One statement over a year of records would take too long for a client or an outcome that is rare in
it. So a page looks back step by step, and ends when its time is up, with what it found and a place
to go on from. Steps grow as long as they are quick.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg

from dtsen.audit.statement import Filter, Place, Statement
from dtsen.clock import Clock
from dtsen.database import Connection

WALK_SECONDS = 1.5
"""When a page begins no further step."""
STEP_SECONDS = 0.5
"""How long a step should take."""
FIRST_STEP, LONGEST_STEP = timedelta(hours=6), timedelta(days=400)
MOST_GROWTH = 3

Span: TypeAlias = tuple[datetime, datetime]
"""From an instant (included) to another (not included)."""

_BEFORE_ALL = UUID(int=0)
_QUICKEST = 0.001


def walks(wanted: Filter) -> bool:
    """Whether a filter asks for what no index finds."""
    if any((wanted.subject, wanted.family, wanted.officer, wanted.case_ref)):
        return False
    return any(
        (wanted.client, wanted.purpose, wanted.operation, wanted.outcome, wanted.legal_basis)
    )


async def walk(
    connection: Connection,
    ask: Callable[[Span, int], Statement],
    span: Span,
    limit: int,
    clock: Clock,
) -> tuple[list[asyncpg.Record], Place | None]:
    """Records of a span, one more than `limit` if there are; or fewer, and where to go on.

    Raises:
        asyncpg.QueryCanceledError: the first step already took too long.
    """
    rows: list[asyncpg.Record] = []
    since, upper = span
    started, step = clock.monotonic(), FIRST_STEP
    while since < upper and len(rows) <= limit:
        begun = clock.monotonic()
        if upper < span[1] and begun - started > WALK_SECONDS:
            return rows, Place(upper, _BEFORE_ALL)
        lower = max(since, upper - step)
        statement = ask((lower, upper), limit + 1 - len(rows))
        try:
            rows += await connection.fetch(statement.text, *statement.arguments)
        except asyncpg.QueryCanceledError:
            if upper == span[1]:
                raise
            return rows, Place(upper, _BEFORE_ALL)
        upper = lower
        took = max(clock.monotonic() - begun, _QUICKEST)
        step = min(step * min(MOST_GROWTH, STEP_SECONDS / took), LONGEST_STEP)
    return rows, None
