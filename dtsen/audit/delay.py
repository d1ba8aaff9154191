"""How far merging is behind: an answer whose record nobody can prove is worth waiting for.

The oldest record that is not merged tells it, whatever stopped: the sequencer, its storage, a halt.
Read once a second, beside the requests; between two readings, and when none succeeds, it is taken
to grow.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import asyncpg

from dtsen.clock import Clock
from dtsen.database import OUTAGES
from dtsen.errors import Unavailable
from dtsen.telemetry import OFF, Telemetry

POLL_SECONDS = 1.0
BULK_SECONDS = 10.0
"""Merging is further behind: no batches, exports and changes."""
MOST_SECONDS = 30.0
"""Merging is further behind than promised: no reads."""
RETRY_SECONDS = 5

_OLDEST = "SELECT clock_timestamp() - min(recorded_at) FROM audit.pending"


class MergeDelay:
    """One worker's knowledge of it."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, *, telemetry: Telemetry = OFF) -> None:
        """Take a pool of the API's login."""
        self._pool = pool
        self._clock = clock
        self._telemetry = telemetry
        self._since = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read once if that can be, then keep polling."""
        await self.read()
        self._task = asyncio.create_task(self._poll())

    async def close(self) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def seconds(self) -> float:
        """The age of the oldest record that is not merged, at most a second too high."""
        return self._clock.monotonic() - self._since

    def check(self, *, bulk: bool) -> None:
        """Refuse a read that merging is too far behind for.

        Raises:
            Unavailable: it is.
        """
        if self.seconds > (BULK_SECONDS if bulk else MOST_SECONDS):
            raise Unavailable(retry_after=RETRY_SECONDS)

    async def read(self) -> None:
        """Read it anew; what cannot be read stays as it was, and grows."""
        started = self._clock.monotonic()
        with suppress(*OUTAGES):
            age: timedelta | None = await self._pool.fetchval(_OLDEST)
            self._since = started - (age.total_seconds() if age else 0.0)
            self._telemetry.merging_since(self._since)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.read()
