"""`POST /oauth/token`: an access token for a client that authenticated."""

from datetime import datetime

from authlib.oauth2 import OAuth2Error
from fastapi import Response
from fastapi.responses import JSONResponse

from auth.adapter import OAuthRequest
from auth.dpop import ProofFault
from auth.endpoint import FENCE, NO_STORE, Endpoint, OAuthParts
from auth.nonces import Nonces, nonce_needed
from auth.refusals import unavailable
from auth.server import TOKEN_PATH, Decision, Policy, ProofError, decide
from auth.tokens import TokenSigner
from dtsen.disclosure.proof import Proof
from dtsen.disclosure.recording import MARK_SECONDS


class TokenEndpoint(Endpoint):
    """The token endpoint."""

    path = TOKEN_PATH
    operation = "oauth.token"
    needed = "grant_type"

    def __init__(self, parts: OAuthParts) -> None:
        super().__init__(parts)
        signer = TokenSigner(parts.keyring, parts.issuer, parts.clock)
        self._nonces = Nonces(parts.keyring, wanted=parts.nonces)
        self._policy = Policy(parts.issuer, parts.profile, signer, self._nonces)

    async def serve(self, request: OAuthRequest, client_id: str | None) -> Response:
        """A token; it does not leave before its marks and its record are durable."""
        requester = await self.requester(client_id)

        def policy(now: datetime) -> Decision:
            return decide(self._policy, request, requester, now)

        decision = self.judge(policy)
        await self._use_up_both(decision)
        await self._parts.on_issue(decision)
        headers = dict(NO_STORE)
        if self._nonces.wanted:
            headers["DPoP-Nonce"] = self._nonces.make(self._parts.clock.now())
        return JSONResponse(decision.body, headers=headers)

    async def _use_up_both(self, decision: Decision) -> None:
        """Mark assertion and proof as used, in one statement where there are both.

        Raises:
            OAuth2Error: one of them was used before.
        """
        proof, used = decision.proof, decision.assertion
        if proof is None:
            await self.use_up(used)
            return
        marks = await self._parts.pool.fetch(
            USE_UP_BOTH,
            decision.client_id,
            used.digest if used else None,
            used.expires if used else None,
            used.unused if used else None,
            proof.mark,
            proof.expires,
            proof.unused,
        )
        made = {row["kind"] for row in marks}
        if used is not None and "assertion" not in made:
            raise await self.not_used_up(used)
        if "dpop" not in made:
            raise await self._not_proven(proof)

    async def _not_proven(self, proof: Proof) -> OAuth2Error:
        """Why a proof made no mark: a failover may have lost one, or it was used before."""
        fence, now = await self._parts.pool.fetchval(FENCE), self._parts.clock.now()
        if fence is None or now < fence:
            return unavailable()
        if proof.unused < fence:
            return ProofError(nonce_needed(), self._nonces.make(now))
        return ProofError(ProofFault("The DPoP proof was used before."))


USE_UP_BOTH = f"""
WITH holder AS (
    SELECT client.client_id FROM auth.client
    WHERE client.client_id = $1 AND client.revoked_at IS NULL
      AND (client.expires_at IS NULL OR client.expires_at > clock_timestamp())
), made AS (
    INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
    SELECT mark.kind, holder.client_id, mark.jti, mark.keep
    FROM holder, (VALUES
        ('assertion', $2::bytea, $3::timestamptz, $3::timestamptz, $4::timestamptz),
        ('dpop', $5::bytea, $6::timestamptz,
            $6::timestamptz + make_interval(secs => {MARK_SECONDS}), $7::timestamptz)
    ) AS mark (kind, jti, expires, keep, unused)
    WHERE mark.jti IS NOT NULL AND mark.expires > clock_timestamp()
        AND mark.unused >= (SELECT disclosure.fence())
    ORDER BY mark.kind
    ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING
    RETURNING kind
)
SELECT kind FROM made
"""  # noqa: S608 - a number of ours
"""A client that authenticates by certificate has no assertion: its mark is null."""
