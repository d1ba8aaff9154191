"""Requests that a client may send again without paying for their people twice (`Idempotency-Key`).

A key stands for one request of one client for 24 hours, in the database, for every worker and after
every restart. Kept are keyed digests alone: neither the key, which a client makes up of what it
likes, nor the body. A repeat is read and recorded anew; only what was paid is not asked for again.
"""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from dtsen.database import OUTAGES
from dtsen.errors import IdempotencyKeyReused, Unavailable
from dtsen.keys import Keyring, Purpose

DEADLINE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """One request that was sent with a key, and the people (weighted) paid for it before."""

    client: str
    key: bytes
    request: bytes
    paid: int


class Repeats:
    """One worker's view of the keys of all clients."""

    def __init__(self, pool: asyncpg.Pool, keyring: Keyring) -> None:
        self._pool = pool
        self._keyring = keyring

    async def claim(self, client: str, key: str, request: Sequence[bytes]) -> Claim:
        """Say that a client sends a request, of these parts and no others, under a key.

        Raises:
            IdempotencyKeyReused: within 24 hours another request was sent under the key.
            Unavailable: the database could not be asked.
        """
        secret = self._keyring.secret(Purpose.REPEATS, self._keyring.current(Purpose.REPEATS))
        marks = _digest(secret, client.encode(), key.encode()), _digest(secret, *request)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                row = await self._pool.fetchrow(CLAIM, client, *marks)
        except OUTAGES:
            raise Unavailable from None
        if row is None or not row["same"]:
            raise IdempotencyKeyReused
        return Claim(client, *marks, paid=row["paid"])

    async def settle(self, claim: Claim, paid: int) -> None:
        """Note that `paid` people are paid for the request of a claim.

        Raises:
            Unavailable: whether it was noted is not known; what was charged must stay charged.
        """
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._pool.execute(SETTLE, claim.client, claim.key, claim.request, paid)
        except OUTAGES:
            raise Unavailable from None


def _digest(secret: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over parts, each behind its length, so that no two lists of them are alike."""
    return hmac.digest(secret, b"".join(len(part).to_bytes(8) + part for part in parts), "sha256")


# A key older than a day is as if it had never been used.
CLAIM = """
INSERT INTO disclosure.repeat AS r (client, key, request, paid, expires)
VALUES ($1, $2, $3, 0, now() + interval '24 hours')
ON CONFLICT ON CONSTRAINT pk_repeat DO UPDATE SET
    request = CASE WHEN r.expires <= now() THEN excluded.request ELSE r.request END,
    paid = CASE WHEN r.expires <= now() THEN 0 ELSE r.paid END,
    expires = CASE WHEN r.expires <= now() THEN excluded.expires ELSE r.expires END
RETURNING request = $3 AS same, paid
"""

SETTLE = """
UPDATE disclosure.repeat SET paid = greatest(paid, $4)
WHERE (client, key, request) = ($1, $2, $3)
"""
