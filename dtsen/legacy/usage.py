"""How much is still asked by legacy ids: counted by week and client, identifiers by keyed index.

For the scoreboard alone: counts are gathered in memory and written every other second, so a crash
loses some. What happened stands in the access log; this only shows how far agencies have come.
"""

import asyncio
import hmac
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

import asyncpg

from dtsen.database import OUTAGES
from dtsen.disclosure.mandate import Mandate
from dtsen.keys import Keyring, Purpose
from dtsen.legacy.identifiers import Identifier

log = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
INDEX_BYTES = 16
MOST_INDEXES = 200_000
"""Of one worker between two writings; what comes beyond them is counted as calls alone."""

Face: TypeAlias = Literal["dtks", "resolve"]

_NOTE = "SELECT legacy.note($1, $2, $3, $4, $5::bytea[])"
_PROGRESS = """
SELECT agency_code AS agency, client_id AS client, week_of AS week, dtks_calls, resolve_calls,
    identifiers, legacy.present_week() AS present
FROM legacy.progress($1, legacy.present_week() - 7 * ($2::integer - 1))
"""


@dataclass(slots=True)
class _Counts:
    calls: int = 0
    indexes: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Week:
    """What one client asked by legacy ids in one week (its Monday, WIB)."""

    agency: str
    client: str
    week: date
    dtks_calls: int
    resolve_calls: int
    identifiers: int
    present: date


class Usage:
    """One worker's counts."""

    def __init__(self, pool: asyncpg.Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring
        self._counts: dict[tuple[str, str, Face], _Counts] = {}
        self._held = 0
        self._task: asyncio.Task[None] | None = None

    def note(self, mandate: Mandate, face: Face, identifiers: Iterable[Identifier]) -> None:
        """Count one answered call, and the legacy ids that it asked by."""
        caller = mandate.agency, mandate.token.client_id, face
        counts = self._counts.setdefault(caller, _Counts())
        counts.calls += 1
        if self._held < MOST_INDEXES:
            key = self._keyring.secret(Purpose.LEGACY_INDEX, "1")
            before = len(counts.indexes)
            counts.indexes.update(_index(key, identifier) for identifier in identifiers)
            self._held += len(counts.indexes) - before

    def start(self) -> None:
        """Write what was counted from now on."""
        self._task = asyncio.create_task(self._flush_forever())

    async def close(self) -> None:
        """Write everything that was counted."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def flush(self) -> None:
        """Write the counts, keeping what fails for later."""
        for key in list(self._counts):
            counts = self._counts.pop(key)
            self._held -= len(counts.indexes)
            try:
                await self._pool.execute(_NOTE, *key, counts.calls, sorted(counts.indexes))
            except OUTAGES:
                later = self._counts.setdefault(key, _Counts())
                later.calls += counts.calls
                self._held -= len(later.indexes)
                later.indexes |= counts.indexes
                self._held += len(later.indexes)
                log.warning("usage: counts could not be written; they are kept")
                return

    async def progress(self, agency: str | None, weeks: int) -> list[Week]:
        """What clients of one agency, or of all, asked in the last weeks, by client and week.

        Raises:
            dtsen.database.OUTAGES: it cannot be read.
        """
        return [Week(**row) for row in await self._pool.fetch(_PROGRESS, agency, weeks)]

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()


def _index(key: bytes, identifier: Identifier) -> bytes:
    text = f"{identifier.scheme}|{identifier.value}".encode()
    return hmac.digest(key, text, "sha256")[:INDEX_BYTES]
