"""Records of what happens outside a mandate: counted refusals, sign-ins, administrative acts."""

from collections.abc import Mapping

import asyncpg

from dtsen.audit.record import RecordKeys, make_leaf, new_record_id, node, software
from dtsen.clock import Clock, key_epoch
from dtsen.database import borrowed
from dtsen.disclosure.recording import Entry, Standing, record
from dtsen.keys import Keyring

WRITING_SECONDS = 5


class Notes:
    """Writes records that disclose nobody and rest on no authority."""

    def __init__(self, pool: asyncpg.Pool, keyring: Keyring, clock: Clock) -> None:
        self._pool = pool
        self._keyring = keyring
        self._clock = clock

    async def write(
        self,
        typ: str,
        op: str,
        outcome: str,
        *,
        status: int = 0,
        client: str | None = None,
        agency: str | None = None,
        clear: Mapping[str, object] | None = None,
        personal: Mapping[str, object] | None = None,
    ) -> None:
        """Write one record durably.

        Raises:
            dtsen.database.OUTAGES: it may not be written.
        """
        now = self._clock.now()
        keys = RecordKeys(self._keyring, key_epoch(now))
        record_id = new_record_id(int(now.timestamp() * 1000))
        members: dict[str, object] = {
            "agency": agency,
            "client": client,
            "iat": now.isoformat(timespec="milliseconds"),
            "n": 0,
            "node": node(),
            "op": op,
            "outcome": outcome,
            "status": status,
            "sw": software(),
            "typ": typ,
        }
        leaf = make_leaf(keys, record_id, members | dict(clear or {}), personal or {})
        entry = Entry(
            id=record_id,
            standing=Standing(typ=typ, op=op, client=client, agency=agency),
            key_epoch=keys.epoch,
            outcome=outcome,
            status=status,
            leaf=leaf.content,
            disclosures=leaf.disclosures,
        )
        async with borrowed(self._pool, WRITING_SECONDS) as connection:
            await record(connection, [entry])
