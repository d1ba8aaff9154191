"""Refusals too many to record one by one: 429, 503 and 401, one record per cause and minute.

Counted for the client where it is known, else for the address; written when the minute is over and
at an orderly end.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from dtsen.clock import Clock
from dtsen.database import OUTAGES
from dtsen.disclosure.notes import Notes

log = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
MOST_KEYS = 10_000
THROTTLED = frozenset({429, 503})

AgencyOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Key:
    minute: datetime
    code: str
    status: int
    client: str | None
    address: str | None


class Tally:
    """One worker's counts."""

    def __init__(self, notes: Notes, clock: Clock, agency_of: AgencyOf) -> None:
        """`agency_of` names the agency of a client, so that it finds its own refusals."""
        self._notes = notes
        self._agency_of = agency_of
        self._clock = clock
        self._counts: Counter[_Key] = Counter()
        self._task: asyncio.Task[None] | None = None

    def count(self, code: str, status: int, *, client: str | None, address: str | None) -> None:
        """Count one refusal of this minute. An address is kept only where no client is known."""
        minute = self._clock.now().replace(second=0, microsecond=0)
        key = _Key(minute, code, status, client, None if client else address)
        if key not in self._counts and len(self._counts) >= MOST_KEYS:
            # A flood from ever new addresses is one more fact, not a reason to run out of memory.
            key = _Key(minute, code, status, client, None)
        self._counts[key] += 1

    def start(self) -> None:
        """Write finished minutes from now on."""
        self._task = asyncio.create_task(self._flush_forever())

    async def close(self) -> None:
        """Write everything that was counted."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.flush(everything=True)

    async def flush(self, *, everything: bool = False) -> None:
        """Write the counts of minutes that are over (or of all), keeping what fails for later."""
        present = self._clock.now().replace(second=0, microsecond=0)
        for key in [key for key in self._counts if everything or key.minute < present]:
            count = self._counts.pop(key)
            try:
                await self._notes.write(
                    "throttled" if key.status in THROTTLED else "denied",
                    "*",
                    key.code,
                    status=key.status,
                    client=key.client,
                    agency=self._agency_of(key.client) if key.client else None,
                    clear={
                        "count": count,
                        "minute": key.minute.isoformat(timespec="minutes"),
                    },
                    personal={"src_ip": key.address},
                )
            except OUTAGES:
                self._counts[key] += count
                log.warning("tally: counts could not be written; they are kept")
                return

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()
