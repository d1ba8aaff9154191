"""The authorization server's policy, on Authlib: who gets which token. Pure: no I/O.

All awaiting is done before (`auth.routes` fetched the client), all writing after it (the plan that
comes back names the assertion to use up). Authlib's defaults are the inverse of FAPI 2.0 and are
overridden one by one; no text that a caller sent reaches an Authlib error.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin
from authlib.oauth2.rfc6749.errors import (
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator

from auth.adapter import Assertion, TokenRequest
from auth.assertions import UsedAssertion, check_claims, verify_signature
from auth.clients import KnownClient
from auth.tokens import ALGORITHM, TOKEN_SECONDS, TokenSigner
from schemas.scopes import Scope, UnknownScope

AUTH_METHOD = "private_key_jwt"
GRANT_TYPE = "client_credentials"

# Its grants log whole access tokens at DEBUG.
logging.getLogger("authlib").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Policy:
    """What does not change from one token request to the next."""

    issuer: str
    signer: TokenSigner


@dataclass(frozen=True, slots=True)
class Requester:
    """What was fetched before the decision: the client asserted, if known, and its scopes.

    `scopes` is None when nothing may be granted to it now; `bearer` says whether it may have a
    token that is bound to no key.
    """

    client: KnownClient
    scopes: frozenset[str] | None
    bearer: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A token to hand out, once its assertion is used up."""

    client_id: str
    jti: str
    scope: str
    assertion: UsedAssertion
    body: dict[str, Any]


def decide(
    policy: Policy, request: TokenRequest, requester: Requester | None, now: datetime
) -> Decision:
    """Answer a token request.

    Raises:
        OAuth2Error: the refusal, as RFC 6749 5.2 names it.
    """
    server = TokenServer(policy, requester, now)
    _, body, _ = server.create_token_response(request)
    body["scope"] = server.scope
    return Decision(request.client.client_id, server.jti, server.scope, server.used, body)


class TokenServer(AuthorizationServer):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's server for one request: it knows one client and writes nothing."""

    used: UsedAssertion
    jti: str
    scope: str

    def __init__(self, policy: Policy, requester: Requester | None, now: datetime) -> None:
        super().__init__()
        self.policy = policy
        self.requester = requester
        self.now = now
        self.register_client_auth_method(AUTH_METHOD, PrivateKeyJwt(self))
        self.register_grant(ClientCredentials)
        self.register_token_generator("default", AccessTokens(self))

    def query_client(self, client_id: str) -> "GrantedClient | None":
        """The client that was fetched, if it is the one asked for."""
        requester = self.requester
        if requester is None or requester.client.client_id != client_id:
            return None
        return GrantedClient(requester)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """The request as it is; the adapter made it."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:  # noqa: ANN401 - Authlib's
        """No framework's response: the parts."""
        return status, body, headers

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> None:
        """Leave by the exception, so that no refusal can be taken for an answer."""
        del request
        raise error

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody; the base class has no implementation."""

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        """Keep nothing: a token is found again by its signature."""


class GrantedClient(ClientMixin):  # type: ignore[misc]  # Authlib ships no types
    """A client as Authlib asks about it."""

    def __init__(self, requester: Requester) -> None:
        self.client_id = requester.client.client_id
        self.requester = requester

    def get_client_id(self) -> str:
        """Its id."""
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All that is granted if none is asked for; None (refused, never narrowed) if too much."""
        granted = self.requester.scopes or frozenset()
        if not scope:
            return " ".join(sorted(granted))
        wanted = frozenset(scope.split(" "))
        return " ".join(sorted(wanted)) if all(_covered(each, granted) for each in wanted) else None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Keys only."""
        del endpoint
        return method == AUTH_METHOD

    def check_grant_type(self, grant_type: str) -> bool:
        """Client credentials only."""
        return grant_type == GRANT_TYPE


def _covered(scope: str, granted: frozenset[str]) -> bool:
    """Whether a scope is granted, by itself or as a group of a whole operation."""
    try:
        wanted = Scope.parse(scope)
    except UnknownScope:
        return False
    return any(Scope.parse(each).covers(wanted) for each in granted)


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib ships no types
    """RFC 6749 4.4, for clients that authenticate with a key."""

    TOKEN_ENDPOINT_AUTH_METHODS = (AUTH_METHOD,)

    def validate_token_request(self) -> None:
        """Authenticate, then ask whether this client may have an unbound token, and any at all."""
        super().validate_token_request()
        requester = self.request.client.requester
        if requester.scopes is None:
            raise UnauthorizedClientError("Nothing may be granted to this client now.")
        if requester.client.binding != "none" or not requester.bearer:
            raise UnauthorizedClientError("This client may not have a token bound to no key.")


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib ships no types
    """Client authentication by a signed assertion: RFC 7523 with the rules of FAPI 2.0 5.3.2.1."""

    CLIENT_AUTH_METHOD = AUTH_METHOD
    _assertion: Assertion

    def __init__(self, server: TokenServer) -> None:
        super().__init__()
        self._server = server

    def __call__(self, query_client: Any, request: TokenRequest) -> GrantedClient | None:  # noqa: ANN401 - Authlib's
        """The client, or None if the request shows no assertion."""
        if request.assertion is None:
            return None
        self._assertion = request.assertion
        found: GrantedClient | None = super().__call__(query_client, request)
        return found

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims as the adapter read them, with limits of our own."""
        del assertion
        return self._assertion.header, self._assertion.claims

    def resolve_client_public_key(self, client: GrantedClient) -> tuple[Any, ...]:
        """All its keys; which one fits is decided with the signature."""
        return client.requester.client.keys

    def process_assertion_claims(self, assertion: str, resolve_key: tuple[Any, ...]) -> None:
        """Verify the signature, then the claims, and note what is to be used up."""
        verify_signature(assertion, self._assertion.header, resolve_key)
        policy = self._server.policy
        self._server.used = check_claims(self._assertion.claims, policy.issuer, self._server.now)


class AccessTokens(JWTBearerTokenGenerator):  # type: ignore[misc]  # Authlib ships no types
    """Our own access tokens in Authlib's answer."""

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server.policy.issuer, alg=ALGORITHM, expires_generator=TOKEN_SECONDS)
        self._server = server

    def access_token_generator(self, client: GrantedClient, scope: str, **_: object) -> str:
        """Sign a token; Authlib's own has no `kid`, and the client as its audience."""
        token, self._server.jti = self._server.policy.signer.sign(client.client_id, scope)
        self._server.scope = scope
        return token

    def get_allowed_scope(self, client: GrantedClient, scope: str | None) -> str:
        """What is granted of a scope.

        Raises:
            InvalidScopeError: it is unknown or exceeds the grant.
        """
        allowed = client.get_allowed_scope(scope)
        if allowed is None:
            raise InvalidScopeError(description="A scope is unknown or not granted.")
        return allowed
