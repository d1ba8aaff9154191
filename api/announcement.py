"""A worker's record of its own start: which software began to serve, under which settings."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress

from dtsen.audit.record import canonical_json
from dtsen.database import OUTAGES
from dtsen.disclosure.notes import Notes
from dtsen.settings import Settings

RETRY_SECONDS = 1.0


class Announcement:
    """Writes one record of kind `config`, as soon as PostgreSQL takes it."""

    def __init__(self, notes: Notes, settings: Settings, made: Sequence[str] = ()) -> None:
        """Take the settings, and names of keys that the worker made as it started."""
        self._notes = notes
        # Passwords and key addresses are SecretStr, which a dump masks.
        self._settings = settings.model_dump(mode="json")
        self._digest = configuration_digest(self._settings)
        self._made = made
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to try; serving does not wait for it, answers do for records of their own."""
        self._task = asyncio.create_task(self._announce())

    async def close(self) -> None:
        """Give up trying, at an orderly end."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _announce(self) -> None:
        while True:
            with suppress(*OUTAGES):
                await self._notes.write(
                    "config",
                    "worker.start",
                    "started",
                    clear={"config": self._digest, "keys": list(self._made)},
                    personal={"q": self._settings},
                )
                return
            await asyncio.sleep(RETRY_SECONDS)


def configuration_digest(settings: Mapping[str, object]) -> str:
    """SHA-256 (hexadecimal) of settings in canonical JSON: another one where any value differs.

    A changed password or PIN does not change it: these are masked.
    """
    return hashlib.sha256(canonical_json(settings)).hexdigest()
