"""Leases on a budget's window: what a worker may spend of it; how they are drawn and returned."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from auth.limits import LimitState

Unit = Literal["requests", "people"]
Span = Literal["minute", "day", "month"]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
USUAL_SECONDS: dict[Span, int] = {"minute": 60, "day": 86_400, "month": 2_592_000}


@dataclass(slots=True)
class Lease:
    """What this worker may still spend of one window, and what the database said last of it."""

    starts: datetime = LONG_AGO
    ends: datetime = LONG_AGO
    held: int = 0
    drawn: int = 0
    seen_at: float = 0.0

    def left(self, ceiling: int) -> int:
        """A lower bound of what is unspent: all that others drew counts as spent."""
        return self.held + max(0, ceiling - self.drawn)


def state_of(
    unit: Unit, span: Span, ceiling: int, lease: Lease | None, now: datetime
) -> LimitState:
    """One budget as it is announced; a window of which nothing is known yet is whole."""
    seconds = USUAL_SECONDS[span]
    if lease is None or now >= lease.ends:
        return LimitState(f"{unit}-{span}", ceiling, seconds, ceiling, seconds, unit)
    if span == "month":
        seconds = round((lease.ends - lease.starts).total_seconds())
    reset = (lease.ends - now).total_seconds()
    return LimitState(f"{unit}-{span}", ceiling, seconds, lease.left(ceiling), reset, unit)


# Rows in one order in every statement and worker, so that no two of them deadlock.
DRAW = """
SELECT asked.span, lease.granted, lease.drawn, lease.starts, lease.ends
FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS asked (span, ceiling, wanted)
CROSS JOIN LATERAL disclosure.draw_lease($1, $2, asked.span, asked.ceiling, asked.wanted) AS lease
"""

RETURN = """
SELECT disclosure.return_lease(unspent.holder, unspent.unit, unspent.span, unspent.starts,
                               unspent.amount)
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
     AS unspent (holder, unit, span, starts, amount)
"""
