"""The authorization server's policy, on Authlib: who gets which token. Pure: no I/O.

All awaiting is done before (the client was fetched), all writing after it (the decision that comes
back names the marks to use up).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator

from auth.adapter import OAuthRequest
from auth.assertions import UsedAssertion
from auth.authentication import AUTH_METHODS, GrantedClient, PolicyServer, Requester
from auth.dpop import ProofFault, Target, target_url
from auth.nonces import Nonces
from auth.tokens import ALGORITHM, CONFIRMATION, TOKEN_SECONDS, TokenSigner
from dtsen.disclosure.proof import Proof
from schemas.agreement_models import Binding

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True)
class Policy:
    """What does not change from one token request to the next."""

    issuer: str
    profile: Literal["sandbox", "production"]
    signer: TokenSigner
    nonces: Nonces


@dataclass(frozen=True, slots=True)
class Decision:
    """A token to hand out, once what it rests on is used up."""

    client_id: str
    jti: str
    scope: str
    auth_method: str
    binding: Binding
    assertion: UsedAssertion | None
    proof: Proof | None
    body: dict[str, Any]


class ProofError(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """A proof that is missing or does not hold (RFC 9449 5); `nonce` is one to use next."""

    def __init__(self, fault: ProofFault, nonce: str | None = None) -> None:
        super().__init__(fault.reason, status_code=400, error=fault.error)
        self.nonce = nonce

    def get_headers(self) -> list[tuple[str, str]]:
        """With the nonce that the server wants."""
        headers: list[tuple[str, str]] = super().get_headers()
        return [*headers, ("DPoP-Nonce", self.nonce)] if self.nonce else headers


def decide(
    policy: Policy, request: OAuthRequest, requester: Requester | None, now: datetime
) -> Decision:
    """Answer a token request.

    Raises:
        OAuth2Error: the refusal, as RFC 6749 5.2 names it.
    """
    server = TokenServer(policy, requester, now)
    _, body, _ = server.create_token_response(request)
    body["scope"] = server.scope
    if server.binding == "dpop":
        body["token_type"] = "DPoP"  # noqa: S105 - a type
    client = request.client
    return Decision(
        client.client_id,
        server.jti,
        server.scope,
        client.requester.client.auth_method,
        server.binding,
        server.used,
        server.proof,
        body,
    )


class TokenServer(PolicyServer):
    """The server for one token request."""

    jti: str
    scope: str
    seconds: int = TOKEN_SECONDS
    binding: Binding = "none"
    thumbprint: str = ""
    proof: Proof | None = None

    def __init__(self, policy: Policy, requester: Requester | None, now: datetime) -> None:
        super().__init__(policy.issuer, requester, now)
        self.policy = policy
        self.register_grant(ClientCredentials)
        self.register_token_generator("default", AccessTokens(self))

    def bind(self, request: OAuthRequest, requester: Requester) -> None:
        """Find what the token is bound to.

        Raises:
            OAuth2Error: what must be shown for it is missing or wrong.
        """
        demanded = requester.demand.binding
        if demanded == "none":
            demanded = requester.client.binding
        if demanded == "mtls":
            self._bind_to_certificate(request)
        elif demanded == "dpop" or request.proofs:
            self._bind_to_key(request)
        elif self.policy.profile == "production" and requester.demand.until is None:
            raise UnauthorizedClientError("This client may not have a token bound to no key.")
        # An exception is over when its day is, and so is what was issued under it; as a client is.
        exception = requester.demand.until if self.binding == "none" else None
        for end in (exception, requester.client.expires):
            if end is not None:
                left = int((end - self.now).total_seconds())
                self.seconds = max(1, min(self.seconds, left))

    def _bind_to_certificate(self, request: OAuthRequest) -> None:
        if request.certificate is None or not request.certificate.valid(self.now):
            raise InvalidRequestError("This client's tokens are bound to its certificate: show it.")
        if request.proofs:
            raise InvalidRequestError("A token is bound to a certificate or to a key, not to both.")
        self.binding, self.thumbprint = "mtls", request.certificate.thumbprint

    def _bind_to_key(self, request: OAuthRequest) -> None:
        target = Target("POST", target_url(self.policy.issuer, TOKEN_PATH))
        nonces = self.policy.nonces
        try:
            self.proof = nonces.prove(request.proofs, target, self.now)
        except ProofFault as fault:
            raise ProofError(fault, nonces.make(self.now) if nonces.wanted else None) from None
        self.binding, self.thumbprint = "dpop", self.proof.thumbprint


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib ships no types
    """RFC 6749 4.4, for clients that authenticate with a key."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def validate_token_request(self) -> None:
        """Authenticate, then ask whether anything may be granted, and to what it is bound."""
        super().validate_token_request()
        requester = self.request.client.requester
        if requester.scopes is None:
            raise UnauthorizedClientError("Nothing may be granted to this client now.")
        self.server.bind(self.request, requester)


class AccessTokens(JWTBearerTokenGenerator):  # type: ignore[misc]  # Authlib ships no types
    """Our own access tokens in Authlib's answer."""

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server.policy.issuer, alg=ALGORITHM, expires_generator=self._seconds)
        self._server = server

    def _seconds(self, *_: object) -> int:
        return self._server.seconds

    def access_token_generator(self, client: GrantedClient, scope: str, **_: object) -> str:
        """Sign a token; Authlib's own has no `kid`, and the client as its audience."""
        server = self._server
        bound = server.binding != "none"
        confirmation = {CONFIRMATION[server.binding]: server.thumbprint} if bound else None
        token, server.jti = server.policy.signer.sign(
            client.client_id, scope, confirmation, server.seconds
        )
        server.scope = scope
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
