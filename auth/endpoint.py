"""What every endpoint of the authorization server does: limit, read, authenticate, refuse.

Awaits before the policy, commits once after it. Every refusal has the form of RFC 6749 5.2.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import ClassVar, Literal, Protocol, TypeVar

import asyncpg
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from auth.adapter import FORM, OAuthRequest, claimed_client, read_assertion, read_form
from auth.assertions import MAX_SKEW, UsedAssertion, unknown_client
from auth.authentication import Requester
from auth.clients import find_client
from auth.hops import certificate_of
from auth.limits import TokenLimits, address
from auth.refusals import Refused, assertion_holds, refusal, unavailable
from auth.server import Decision
from dtsen.clock import Clock
from dtsen.database import OUTAGES
from dtsen.disclosure.grants import Demand
from dtsen.disclosure.mandate import AccessToken
from dtsen.errors import Unavailable
from dtsen.keys import KeyMissing, Keyring

MAX_BODY = 16_384
DEADLINE_SECONDS = 5
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FAILURES = (*OUTAGES, Unavailable)

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Grants(Protocol):
    """What agreements say of a client; answered from memory."""

    def granted(self, client_id: str) -> frozenset[str] | None:
        """Its scopes; empty: a token for the calls open to any; None: no token at all."""

    def demand(self, client_id: str) -> Demand:
        """How its tokens must be bound, and until when an exception lets them be otherwise."""

    def in_force(self, token: AccessToken) -> bool:
        """Whether a verified token still serves: it is not revoked, nor is its client."""


@dataclass(frozen=True, slots=True)
class OAuthParts:
    """What the authorization server is made of.

    `on_refusal` is told the operation, the client (once authenticated, else the address) and the
    cause; `on_issue` what was decided, and no token leaves before it returned; `on_revoke` which
    token was revoked. `tls_origin` is where certificates can be shown, if anywhere.
    """

    pool: asyncpg.Pool
    keyring: Keyring
    clock: Clock
    issuer: str
    profile: Literal["sandbox", "production"]
    grants: Grants
    limits: TokenLimits
    on_refusal: Callable[[str, str, str], Awaitable[None]]
    on_issue: Callable[[Decision], Awaitable[None]]
    on_revoke: Callable[[AccessToken], Awaitable[None]]
    nonces: bool = False
    tls_origin: str | None = None


class Endpoint(ABC):
    """One endpoint that clients authenticate at."""

    path: ClassVar[str]
    operation: ClassVar[str]
    needed: ClassVar[str]
    """The parameter without which a request means nothing."""

    def __init__(self, parts: OAuthParts) -> None:
        self._parts = parts

    @abstractmethod
    async def serve(self, request: OAuthRequest, client_id: str | None) -> Response:
        """Answer a request that is well-formed; nobody is authenticated yet.

        Raises:
            OAuth2Error: the refusal.
        """

    async def answer(self, request: Request) -> Response:
        """The answer, or the refusal, told to the access log either way."""
        who = address(request)
        client_id = None
        try:
            self.limit(self._parts.limits.per_address, "address", who)
            form = await _form(request, self.needed)
            assertion = read_assertion(form)
            client_id = claimed_client(form, assertion)
            if client_id is not None:
                self.limit(self._parts.limits.per_client, "client", client_id)
            url = self._parts.issuer + self.path
            proofs = [value for name, value in request.scope["headers"] if name == b"dpop"]
            certificate = certificate_of(request.scope)
            asked = OAuthRequest(url, form, assertion, certificate=certificate, proofs=proofs)
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self.serve(asked, client_id)
        except OAuth2Error as error:
            if assertion_holds(error) and client_id is not None:
                who = client_id
            return await self._refuse(who, error)
        except FAILURES as outage:
            logger.warning("%s could not be served: %s", self.path, type(outage).__name__)
            return await self._refuse(who, unavailable())

    async def _refuse(self, who: str, error: OAuth2Error) -> Response:
        """The refusal, once it is told; one that cannot be told is a 503."""
        try:
            await self._parts.on_refusal(self.operation, who, getattr(error, "cause", error.error))
        except FAILURES as outage:
            logger.warning("a refusal could not be told: %s", type(outage).__name__)
            return refusal(unavailable())
        return refusal(error)

    def limit(self, rate: str, kind: str, key: str) -> None:
        """Count a request.

        Raises:
            Refused: there were too many.
        """
        hit = self._parts.limits.limiter.hit(rate, self.path, kind, key)
        if not hit.allowed:
            wait = max(1, ceil(hit.reset_after))
            raise Refused(429, "Too many requests.", cause="rate-limited", retry_after=wait)

    async def requester(self, client_id: str | None) -> Requester | None:
        """The client that a request says it is of, with all that its agreement says; or None.

        Raises:
            InvalidClientError: there is no such client in force.
        """
        if client_id is None:
            return None
        client = await find_client(self._parts.pool, client_id)
        if client is None:
            raise unknown_client()
        grants = self._parts.grants
        return Requester(client, grants.granted(client_id), grants.demand(client_id))

    def judge(self, policy: Callable[[datetime], T]) -> T:
        """What the policy says now; a defect in it is the request's refusal, never a 500.

        Raises:
            OAuth2Error: the refusal.
            Unavailable: there is no key to sign with.
        """
        try:
            return policy(self._parts.clock.now())
        except (OAuth2Error, Unavailable):
            raise
        except KeyMissing:
            # Ours, not the caller's: the keys of an installation that is being set up.
            raise Unavailable from None
        except Exception as error:  # noqa: BLE001 - a hostile request must not become a 500
            # Its text may repeat what the caller sent.
            logger.error("the policy failed: %s", type(error).__name__)  # noqa: TRY400 - see above
            raise InvalidRequestError("The request is not understood.") from None

    async def use_up(self, used: UsedAssertion | None) -> None:
        """Mark an assertion as used, if there is one.

        Raises:
            InvalidClientError: it was used before, or its client is not in force any more.
            Refused: whether it was cannot be told.
        """
        if used is None:
            return
        if not await self._parts.pool.fetchval(
            USE_UP, used.client_id, used.digest, used.expires, used.unused
        ):
            raise await self.not_used_up(used)

    async def not_used_up(self, used: UsedAssertion) -> OAuth2Error:
        """Why an assertion made no mark.

        After a failover, which may have lost marks, those made before it are not taken; a client
        whose clock is right is told when one that it makes then will be.
        """
        fence = await self._parts.pool.fetchval(FENCE)
        if fence is None or used.unused < fence:
            wait = (fence + MAX_SKEW - self._parts.clock.now()).total_seconds() if fence else 1
            return unavailable(max(1, ceil(wait)))
        return InvalidClientError(description="The assertion was used before.")


# The database's clock and the client's row have the last word; a mark outlives its assertion.
USE_UP = """
INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
SELECT 'assertion', client.client_id, $2, $3::timestamptz
FROM auth.client
WHERE client.client_id = $1 AND client.revoked_at IS NULL
  AND (client.expires_at IS NULL OR client.expires_at > clock_timestamp())
  AND $3::timestamptz > clock_timestamp() AND $4::timestamptz >= disclosure.fence()
ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING
RETURNING true
"""

FENCE = "SELECT disclosure.fence()"


async def _form(request: Request, needed: str) -> dict[str, str]:
    """The form of a request.

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
    return read_form(bytes(body), needed)
