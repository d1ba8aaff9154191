"""Revoking single tokens before they expire (RFC 7009), so that it holds at once everywhere.

A token's client gets a new epoch: whatever another worker still believes fails in its recording
statement and is judged anew. Revocations of all workers are put in force together, at most four
times a second (`disclosure.revoke_waiting_tokens`).
"""

import asyncio

import asyncpg

from dtsen.disclosure.mandate import AccessToken

_ASK = """
INSERT INTO disclosure.revoked_token (jti, client, expires)
VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT pk_revoked_token DO NOTHING
"""
_ROUND = "SELECT disclosure.revoke_waiting_tokens()"


class Revoker:
    """One worker's revocations."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting = asyncio.Lock()

    async def revoke(self, token: AccessToken) -> None:
        """Revoke a token; once this returns, nothing is recorded under it any more.

        Raises:
            dtsen.database.OUTAGES: it may not be revoked; ask again.
        """
        await self._pool.execute(_ASK, token.jti, token.client_id, token.expires)
        # One of this worker's callers takes part in the rounds; the others find nothing waiting.
        async with self._waiting:
            while (pause := await self._pool.fetchval(_ROUND)) > 0:  # noqa: ASYNC110 - another process holds rounds too
                await asyncio.sleep(pause)
