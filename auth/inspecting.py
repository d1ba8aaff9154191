"""`POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009), for our JWTs.

A client sees and revokes its own tokens alone; of another's it learns nothing.
"""

from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from auth.adapter import OAuthRequest
from auth.authentication import authenticate
from auth.endpoint import NO_STORE, Endpoint, OAuthParts
from auth.tokens import CONFIRMATION, TokenVerifier
from dtsen.disclosure.mandate import AccessToken
from dtsen.disclosure.revocation import Revoker
from dtsen.errors import Unauthenticated

INTROSPECTION_PATH = "/oauth/introspect"
REVOCATION_PATH = "/oauth/revoke"


class Inspecting(Endpoint):
    """What both have in common: whose token it is, and whether it is one."""

    needed = "token"

    def __init__(self, parts: OAuthParts) -> None:
        super().__init__(parts)
        self._verifier = TokenVerifier(parts.keyring, parts.issuer, parts.clock)

    async def authenticated(self, request: OAuthRequest, client_id: str | None) -> None:
        """Authenticate the client and use its assertion up.

        Raises:
            OAuth2Error: it did not authenticate.
        """
        requester = await self.requester(client_id)
        issuer = self._parts.issuer
        used = self.judge(lambda now: authenticate(issuer, request, requester, now))
        await self.use_up(used)

    def own(self, request: OAuthRequest, client_id: str | None) -> AccessToken | None:
        """The token of the request, if it is one in force and of this client."""
        try:
            token = self._verifier.verify(request.form["token"])
        except Unauthenticated:
            return None
        if token.client_id != client_id or not self._parts.grants.in_force(token):
            return None
        return token


class IntrospectionEndpoint(Inspecting):
    """What a token says and whether it still serves."""

    path = INTROSPECTION_PATH
    operation = "oauth.introspect"

    async def serve(self, request: OAuthRequest, client_id: str | None) -> Response:
        """What the client's own token says; of any other that it is not active."""
        await self.authenticated(request, client_id)
        token = self.own(request, client_id)
        told = {"active": False} if token is None else self._told(token)
        return JSONResponse(told, headers=NO_STORE)

    def _told(self, token: AccessToken) -> dict[str, Any]:
        issuer = self._parts.issuer
        told = {
            "active": True,
            "scope": " ".join(sorted(token.scopes)),
            "client_id": token.client_id,
            "sub": token.client_id,
            "iss": issuer,
            "aud": issuer,
            "jti": token.jti,
            "exp": int(token.expires.timestamp()),
            "token_type": token.scheme,
        }
        if token.binding != "none":
            told["cnf"] = {CONFIRMATION[token.binding]: token.thumbprint}
        return told


class RevocationEndpoint(Inspecting):
    """An end to a token before its time."""

    path = REVOCATION_PATH
    operation = "oauth.revoke"

    def __init__(self, parts: OAuthParts) -> None:
        super().__init__(parts)
        self._revoker = Revoker(parts.pool)

    async def serve(self, request: OAuthRequest, client_id: str | None) -> Response:
        """Nothing but 200, whatever the token was; no worker takes it once this is answered."""
        await self.authenticated(request, client_id)
        token = self.own(request, client_id)
        if token is not None:
            self.limit(self._parts.limits.per_revoker, "revoker", token.client_id)
            await self._revoker.revoke(token)
            await self._parts.on_revoke(token)
        return Response(headers=NO_STORE)
