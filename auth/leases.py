"""What a worker holds of budgets: lines of which a charge takes, leases drawn on them, charges."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from auth.limits import LimitState

Unit = Literal["requests", "people"]
Span = Literal["minute", "day", "month"]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
USUAL_SECONDS: dict[Span, int] = {"minute": 60, "day": 86_400, "month": 2_592_000}


class Line(NamedTuple):
    """One budget that a charge takes from: whose, of which span; `name` is how it is announced."""

    holder: str
    span: Span
    name: str


Ceilings = Mapping[Line, int]
"""The lines of one charge, nested budgets of one unit, with how much each allows in its window."""


@dataclass(slots=True)
class Lease:
    """What this worker may still spend of one window, and what the database said last of it."""

    starts: datetime = LONG_AGO
    ends: datetime = LONG_AGO
    held: int = 0
    drawn: int = 0
    ceiling: int = 0
    seen_at: float = 0.0

    def left(self, ceiling: int) -> int:
        """A lower bound of what is unspent: all that others drew counts as spent."""
        return self.held + max(0, ceiling - self.drawn)


@dataclass(slots=True)
class Account:
    """All leases of one unit within one agency; the lock is held while a lease is drawn.

    Whoever waited while a draw failed fails with it, at `failed_at`: in an outage each would
    otherwise wait for the deadlines of all before it.
    """

    leases: dict[Line, Lease] = field(default_factory=dict)
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed_at: float = 0.0


@dataclass(slots=True)
class Charge:
    """A cost taken from every window at once; may be given back, once."""

    states: tuple[LimitState, ...]
    cost: int
    windows: tuple[tuple[Lease, datetime], ...]

    def refund(self) -> None:
        """Give it back to the windows it came from, as far as they still run."""
        for lease, starts in self.windows:
            if lease.starts == starts:
                lease.held += self.cost
        self.windows = ()


def state_of(
    unit: Unit, line: Line, ceiling: int, lease: Lease | None, now: datetime
) -> LimitState:
    """One budget as it is announced; a window of which nothing is known yet is whole."""
    seconds = USUAL_SECONDS[line.span]
    if lease is None or now >= lease.ends:
        return LimitState(line.name, ceiling, seconds, ceiling, seconds, unit)
    if line.span == "month":
        seconds = round((lease.ends - lease.starts).total_seconds())
    reset = (lease.ends - now).total_seconds()
    return LimitState(line.name, ceiling, seconds, lease.left(ceiling), reset, unit)


# Rows in one order in every statement and worker, so that no two of them deadlock.
DRAW = """
SELECT asked.place, lease.granted, lease.drawn, lease.starts, lease.ends
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
     WITH ORDINALITY AS asked (holder, span, ceiling, wanted, place)
CROSS JOIN LATERAL
    disclosure.draw_lease(asked.holder, $1, asked.span, asked.ceiling, asked.wanted) AS lease
"""

RETURN = """
SELECT disclosure.return_lease(unspent.holder, unspent.unit, unspent.span, unspent.starts,
                               unspent.amount)
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
     AS unspent (holder, unit, span, starts, amount)
"""
