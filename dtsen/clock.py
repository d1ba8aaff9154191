"""The one clock: wall time as the database tells it, monotonic time for deadlines.

Records, expiry and windows are judged by the database; a worker only needs to know
how far its own wall clock is off, and never reads another clock.
"""

import time
from datetime import UTC, datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")
"""Waktu Indonesia Barat: days and months of quotas and of as-of dates are counted in it."""


class Clock:
    """Wall time corrected by the offset last measured against the database."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def follow(self, database_time: datetime) -> None:
        """Take over the database's time (timezone-aware) as it is now."""
        self.offset = database_time - datetime.now(UTC)

    def now(self) -> datetime:
        """The present instant in UTC, by the database's clock."""
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        """Seconds that only grow; for deadlines, never for records."""
        return time.monotonic()


def key_epoch(instant: datetime) -> str:
    """The month (UTC) whose keys serve an instant, `YYYY-MM`."""
    return instant.astimezone(UTC).strftime("%Y-%m")


def next_key_epoch(instant: datetime) -> str:
    """The month after the one of an instant, `YYYY-MM`."""
    first = instant.astimezone(UTC).replace(day=1)
    return key_epoch(first + timedelta(days=32))


def month_of(epoch: str) -> tuple[datetime, datetime]:
    """The first instant of a month `YYYY-MM`, and that of the month after it."""
    first = datetime.fromisoformat(f"{epoch}-01").replace(tzinfo=UTC)
    return first, (first + timedelta(days=32)).replace(day=1)
