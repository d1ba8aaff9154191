"""How a client authenticates at `/oauth`: by a signed assertion, or by its certificate.

Authlib's server for one request, kept pure: it knows the one client that was fetched before, and
writes nothing. Its defaults are the inverse of FAPI 2.0 and are overridden one by one; no text that
a caller sent reaches an Authlib error.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion

from auth.adapter import Assertion, OAuthRequest
from auth.assertions import UsedAssertion, check_claims, unknown_client, verify_signature
from auth.clients import KnownClient
from dtsen.disclosure.grants import Demand
from schemas.scopes import Scope, UnknownScope

PRIVATE_KEY_JWT = "private_key_jwt"
SELF_SIGNED_TLS = "self_signed_tls_client_auth"
AUTH_METHODS = (PRIVATE_KEY_JWT, SELF_SIGNED_TLS)
GRANT_TYPE = "client_credentials"

# Its grants log whole access tokens at DEBUG.
logging.getLogger("authlib").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Requester:
    """What was fetched before the decision: the client asserted, if known, and its scopes.

    `scopes` is None when nothing may be granted to it now; `demand` says how its agreement wants
    its tokens bound.
    """

    client: KnownClient
    scopes: frozenset[str] | None
    demand: Demand


class PolicyServer(AuthorizationServer):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's server for one request."""

    used: UsedAssertion | None = None

    def __init__(self, issuer: str, requester: Requester | None, now: datetime) -> None:
        super().__init__()
        self.issuer = issuer
        self.requester = requester
        self.now = now
        self.register_client_auth_method(PRIVATE_KEY_JWT, PrivateKeyJwt(self))
        self.register_client_auth_method(SELF_SIGNED_TLS, self._by_certificate)

    def query_client(self, client_id: str) -> "GrantedClient | None":
        """The client that was fetched, if it is the one asked for."""
        requester = self.requester
        if requester is None or requester.client.client_id != client_id:
            return None
        return GrantedClient(requester)

    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        """The request as it is; the adapter made it."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:  # noqa: ANN401 - Authlib's
        """No framework's response: the parts."""
        return status, body, headers

    def handle_error_response(self, request: OAuthRequest, error: OAuth2Error) -> None:
        """Leave by the exception, so that no refusal can be taken for an answer."""
        del request
        raise error

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody; the base class has no implementation."""

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """Keep nothing: a token is found again by its signature."""

    def _by_certificate(self, query_client: Any, request: OAuthRequest) -> "GrantedClient | None":  # noqa: ANN401 - Authlib's
        """RFC 8705 2.2: the client of `client_id`, if the connection showed its certificate.

        Raises:
            InvalidClientError: it did not, or not a valid one; the words of a wrong signature, so
                that ids are not probed.
        """
        certificate, client_id = request.certificate, request.form.get("client_id")
        if certificate is None or client_id is None or request.assertion is not None:
            return None
        client: GrantedClient | None = query_client(client_id)
        if (
            client is None
            or certificate.digest not in client.requester.client.certificates
            or not certificate.valid(self.now)
        ):
            raise unknown_client()
        return client


def authenticate(
    issuer: str, request: OAuthRequest, requester: Requester | None, now: datetime
) -> UsedAssertion | None:
    """Hold a request's credential against its client; what is to be used up, if anything is.

    Raises:
        OAuth2Error: there is none, or it is wrong.
    """
    server = PolicyServer(issuer, requester, now)
    server.authenticate_client(request, AUTH_METHODS)
    return server.used


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
        """The one it is registered with."""
        del endpoint
        return method == self.requester.client.auth_method

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


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib ships no types
    """Client authentication by a signed assertion: RFC 7523 with the rules of FAPI 2.0 5.3.2.1."""

    CLIENT_AUTH_METHOD = PRIVATE_KEY_JWT
    _assertion: Assertion

    def __init__(self, server: PolicyServer) -> None:
        super().__init__()
        self._server = server

    def __call__(self, query_client: Any, request: OAuthRequest) -> GrantedClient | None:  # noqa: ANN401 - Authlib's
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
        server = self._server
        server.used = check_claims(self._assertion.claims, server.issuer, server.now)
