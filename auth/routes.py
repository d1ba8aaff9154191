"""The authorization server's face: `/oauth/token`, `/oauth/jwks`, its metadata (RFC 8414).

Awaits before the policy, commits once after it. Every refusal has the form of RFC 6749 5.2.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, Protocol

import asyncpg
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from auth.adapter import FORM, Assertion, TokenRequest, read_assertion, read_form
from auth.assertions import unknown_client
from auth.clients import find_client
from auth.jwks import ALGORITHMS, public_jwks
from auth.limits import TokenLimits, address
from auth.server import AUTH_METHOD, GRANT_TYPE, Decision, Policy, Requester, decide
from auth.tokens import TokenSigner
from dtsen.clock import Clock
from dtsen.database import OUTAGES
from dtsen.errors import Unavailable
from dtsen.keys import Keyring, Purpose
from schemas.scopes import SCOPE_NAMES

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
JWKS_PATH = "/oauth/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"
ALLOWED = {TOKEN_PATH: "POST", JWKS_PATH: "GET"}

MAX_BODY = 16_384
DEADLINE_SECONDS = 5
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CACHED = {"Cache-Control": "public, max-age=300"}

FAILURES = (*OUTAGES, Unavailable)

logger = logging.getLogger(__name__)


class Grants(Protocol):
    """What agreements say of a client; answered from memory."""

    def granted(self, client_id: str) -> frozenset[str] | None:
        """Its scopes; empty: a token for the calls open to any; None: no token at all."""

    def bearer_excepted(self, client_id: str) -> bool:
        """Whether an exception in force lets it have a token bound to no key."""


@dataclass(frozen=True, slots=True)
class OAuthParts:
    """What the authorization server is made of.

    `on_refusal` is told the client (once authenticated, else the address) and the cause; `on_issue`
    the client, the token's `jti` and scope, and no token leaves before it returned.
    """

    pool: asyncpg.Pool
    keyring: Keyring
    clock: Clock
    issuer: str
    profile: Literal["sandbox", "production"]
    grants: Grants
    limits: TokenLimits
    on_refusal: Callable[[str, str], Awaitable[None]]
    on_issue: Callable[[str, str, str], Awaitable[None]]


def oauth_router(parts: OAuthParts) -> APIRouter:
    """The routes of the authorization server, for the issuer's root."""
    router = APIRouter(include_in_schema=False)
    endpoint = TokenEndpoint(parts)
    metadata = server_metadata(parts.issuer)
    keys = public_jwks(parts.keyring.signing_keys(Purpose.TOKENS))

    @router.post(TOKEN_PATH)
    async def token(request: Request) -> Response:
        """Hand out an access token for a signed assertion."""
        return await endpoint.answer(request)

    @router.get(JWKS_PATH)
    async def jwks() -> Response:
        """List the public keys of access tokens."""
        return JSONResponse(keys, headers=CACHED)

    @router.get(METADATA_PATH)
    async def authorization_server_metadata() -> Response:
        """Describe the authorization server (RFC 8414)."""
        return JSONResponse(metadata, headers=CACHED)

    router.routes.append(Route("/oauth/{rest:path}", NotHere(), include_in_schema=False))
    return router


def server_metadata(issuer: str) -> dict[str, Any]:
    """What this server offers, and nothing that it does not (RFC 8414)."""
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": list(SCOPE_NAMES),
        "response_types_supported": [],
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": [AUTH_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


class Refused(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """A refusal with an HTTP status of its own; `cause` is its name in the access log."""

    def __init__(
        self, status: int, description: str, *, cause: str, retry_after: int | None = None
    ) -> None:
        error = "invalid_request" if retry_after is None else "temporarily_unavailable"
        super().__init__(description, status_code=status, error=error)
        self.cause = cause
        self.retry_after = retry_after

    def get_headers(self) -> list[tuple[str, str]]:
        """With Retry-After where a later try can succeed."""
        headers: list[tuple[str, str]] = super().get_headers()
        if self.retry_after is None:
            return headers
        return [*headers, ("Retry-After", str(self.retry_after))]


def unavailable() -> Refused:
    """The 503 of an outage, or of an outcome that is not known."""
    return Refused(503, "Try again.", cause="unavailable", retry_after=1)


class NotHere:
    """Whatever else is asked of `/oauth`: 405 with Allow where the path is known, else 404."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse."""
        allowed = ALLOWED.get(scope["path"])
        if allowed is None:
            response = _refusal(Refused(404, "Nothing is at this path.", cause="not-found"))
        else:
            refused = Refused(405, f"This path serves {allowed} alone.", cause="method-not-allowed")
            response = _refusal(refused)
            response.headers["Allow"] = allowed
        await response(scope, receive, send)


class TokenEndpoint:
    """`POST /oauth/token`."""

    def __init__(self, parts: OAuthParts) -> None:
        self._parts = parts
        self._policy = Policy(parts.issuer, TokenSigner(parts.keyring, parts.issuer, parts.clock))

    async def answer(self, request: Request) -> Response:
        """A token, or the refusal, told to the access log either way."""
        who = address(request)
        try:
            self._limit(self._parts.limits.per_address, "address", who)
            form = await _form(request)
            assertion = read_assertion(form)
            if assertion is not None:
                self._limit(self._parts.limits.per_client, "client", assertion.client_id)
            async with asyncio.timeout(DEADLINE_SECONDS):
                decision = await self._decide(form, assertion)
                await self._use_up(decision)
                await self._parts.on_issue(decision.client_id, decision.jti, decision.scope)
        except OAuth2Error as error:
            if assertion_holds(error) and assertion is not None:
                who = assertion.client_id
            return await self._refuse(who, error)
        except FAILURES as outage:
            logger.warning("no token could be issued: %s", type(outage).__name__)
            return await self._refuse(who, unavailable())
        return JSONResponse(decision.body, headers=NO_STORE)

    async def _refuse(self, who: str, error: OAuth2Error) -> Response:
        """The refusal, once it is told; one that cannot be told is a 503."""
        try:
            await self._parts.on_refusal(who, getattr(error, "cause", error.error))
        except FAILURES as outage:
            logger.warning("a refusal could not be told: %s", type(outage).__name__)
            return _refusal(unavailable())
        return _refusal(error)

    def _limit(self, rate: str, kind: str, key: str) -> None:
        hit = self._parts.limits.limiter.hit(rate, "oauth/token", kind, key)
        if not hit.allowed:
            wait = max(1, ceil(hit.reset_after))
            raise Refused(429, "Too many token requests.", cause="rate-limited", retry_after=wait)

    async def _decide(self, form: dict[str, str], assertion: Assertion | None) -> Decision:
        requester = None if assertion is None else await self._requester(assertion.client_id)
        request = TokenRequest(self._parts.issuer, form, assertion)
        try:
            return decide(self._policy, request, requester, self._parts.clock.now())
        except OAuth2Error:
            raise
        except Exception as error:  # noqa: BLE001 - a hostile request must not become a 500
            # Its text may repeat what the caller sent.
            logger.error("the policy failed: %s", type(error).__name__)  # noqa: TRY400 - see above
            raise InvalidRequestError("The request is not understood.") from None

    async def _requester(self, client_id: str) -> Requester:
        parts = self._parts
        client = await find_client(parts.pool, client_id)
        if client is None:
            raise unknown_client()
        bearer = parts.profile == "sandbox" or parts.grants.bearer_excepted(client_id)
        return Requester(client, parts.grants.granted(client_id), bearer)

    async def _use_up(self, decision: Decision) -> None:
        used = decision.assertion
        if not await self._parts.pool.fetchval(USE_UP, used.client_id, used.digest, used.expires):
            raise InvalidClientError(description="The assertion was used before.")


# The database's clock and the client's row have the last word; a mark outlives its assertion.
USE_UP = """
INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
SELECT 'assertion', client.client_id, $2, $3::timestamptz
FROM auth.client
WHERE client.client_id = $1 AND client.revoked_at IS NULL
  AND (client.expires_at IS NULL OR client.expires_at > clock_timestamp())
  AND $3::timestamptz > clock_timestamp()
ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING
RETURNING true
"""


def assertion_holds(error: OAuth2Error) -> bool:
    """Whether a refusal came after the client had authenticated."""
    return error.error in {"invalid_scope", "unauthorized_client"}


async def _form(request: Request) -> dict[str, str]:
    """The form of a token request.

    Raises:
        OAuth2Error: it carries a query, another credential, another type, or too much.
    """
    if request.url.query:
        raise InvalidRequestError("Parameters belong into the body, not into the URL.")
    if "authorization" in request.headers:
        raise InvalidClientError(status_code=401, description="Clients authenticate with a key.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM or "content-encoding" in request.headers:
        raise Refused(415, f"Send the body as {FORM}.", cause="unsupported-media-type")
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise Refused(413, "The body is too large.", cause="body-too-large")
    except ClientDisconnect:
        raise InvalidRequestError("The body is incomplete.") from None
    return read_form(bytes(body))


def _refusal(error: OAuth2Error) -> JSONResponse:
    """A refusal as RFC 6749 5.2 wants it."""
    status, body, headers = error()
    return JSONResponse(body, status, headers=dict(headers))
