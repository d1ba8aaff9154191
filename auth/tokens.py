"""Access tokens: signed JWTs of 300 s (RFC 9068), and what a request must show (RFC 6750)."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from auth.jwks import ALGORITHMS
from dtsen.clock import Clock
from dtsen.disclosure.mandate import AccessToken
from dtsen.errors import DoubledAuthorization, Unauthenticated
from dtsen.keys import Keyring, Purpose
from schemas.agreement_models import Binding

ALGORITHM = "ES256"
TYPE = "at+jwt"
TOKEN_SECONDS = 300

CACHE_SECONDS = 60
CACHE_SIZE = 20_000
MAX_TOKEN_CHARACTERS = 8192

CONFIRMATION: Mapping[Binding, str] = MappingProxyType({"dpop": "jkt", "mtls": "x5t#S256"})
"""The member of `cnf` (RFC 7800) of each binding."""

_REGISTRY = JWSRegistry(algorithms=[ALGORITHM])
_BINDINGS: Mapping[str, Binding] = MappingProxyType(
    {CONFIRMATION["dpop"]: "dpop", CONFIRMATION["mtls"]: "mtls"}
)
_SCHEMES = frozenset({b"bearer", b"dpop"})


class TokenSigner:
    """Signs access tokens with the key that serves now."""

    def __init__(self, keyring: Keyring, issuer: str, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock

    def sign(
        self,
        client_id: str,
        scope: str,
        confirmation: Mapping[str, str] | None = None,
        seconds: int = TOKEN_SECONDS,
    ) -> tuple[str, str]:
        """A new token for a client and its `jti`; `scope` is space-separated.

        `confirmation` is the one member of `cnf` (RFC 7800) that binds it to a key.
        """
        instant = self._clock.now()
        key, now = self._keyring.signing_key(Purpose.TOKENS, instant), int(instant.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": client_id,
            "client_id": client_id,
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
        }
        if confirmation:
            claims["cnf"] = dict(confirmation)
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
        return jwt.encode(header, claims, key, registry=_REGISTRY), claims["jti"]


class TokenVerifier:
    """Verifies our own access tokens; a token seen within the last minute is not verified again.

    The cache holds what was proven, never what was refused. Revocation does not wait for it: the
    recording statement checks the client's epoch.
    """

    def __init__(self, keyring: Keyring, issuer: str, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock
        self._held: dict[bytes, tuple[AccessToken, float]] = {}

    def verify(self, token: str) -> AccessToken:
        """The token's content.

        Raises:
            Unauthenticated: it is not a token of ours in force.
        """
        digest = hashlib.sha256(token.encode()).digest()
        held = self._held.get(digest)
        if held is not None and self._clock.monotonic() < held[1]:
            return held[0]
        return self._verify(token, digest)

    def _verify(self, token: str, digest: bytes) -> AccessToken:
        self._held.pop(digest, None)
        access = self._read(token, digest)
        if access is None:
            raise refused_token()
        remaining = (access.expires - self._clock.now()).total_seconds()
        if remaining <= 0:
            raise refused_token()
        if len(self._held) >= CACHE_SIZE:
            del self._held[next(iter(self._held))]
        self._held[digest] = access, self._clock.monotonic() + min(CACHE_SECONDS, remaining)
        return access

    def _key(self, kid: object) -> Key:
        """The published key of this name.

        Raises:
            KeyError: there is none.
        """
        key = None
        if isinstance(kid, str):
            key = self._keyring.published_key(Purpose.TOKENS, kid, self._clock.now())
        if key is None:
            raise KeyError
        return key

    def _read(self, token: str, digest: bytes) -> AccessToken | None:
        """The claims of a token whose signature, type, issuer and audience are right."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            return None
        try:
            read = jwt.decode(
                token, lambda found: self._key(found.headers()["kid"]), registry=_REGISTRY
            )
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            return None
        claims = read.claims
        if read.header.get("typ") != TYPE:
            return None
        if claims.get("iss") != self._issuer or claims.get("aud") != self._issuer:
            return None
        bound = _bound(claims.get("cnf"))
        if bound is None:
            return None
        return AccessToken(
            client_id=claims["client_id"],
            scopes=frozenset(claims["scope"].split()),
            jti=claims["jti"],
            expires=datetime.fromtimestamp(claims["exp"], UTC),
            digest=digest,
            binding=bound[0],
            thumbprint=bound[1],
        )


def _bound(confirmation: object) -> tuple[Binding, str] | None:
    """How a token is bound, and to what; None if its `cnf` is not one that we make."""
    if confirmation is None:
        return "none", ""
    if not isinstance(confirmation, dict) or len(confirmation) != 1:
        return None
    ((member, thumbprint),) = confirmation.items()
    return (_BINDINGS[member], thumbprint) if member in _BINDINGS and thumbprint else None


def challenge(scheme: str, error: str | None = None, more: str = "") -> str:
    """A `WWW-Authenticate` of one scheme (RFC 6750 3, RFC 9449 7.1); `more` parameters before."""
    said = [f'error="{error}"'] if error else []
    said += [more] if more else []
    if scheme == "DPoP":
        said.append(f'algs="{" ".join(ALGORITHMS)}"')
    return f"{scheme} {', '.join(said)}".rstrip()


NOBODY = f"{challenge('Bearer')}, {challenge('DPoP')}"
"""Where nothing was shown: both ways of showing a token."""


def refused_token(scheme: str = "Bearer") -> Unauthenticated:
    """The 401 of a token that was shown and is not valid, or not so."""
    return Unauthenticated(headers={"WWW-Authenticate": challenge(scheme, "invalid_token")})


def authorization(headers: Iterable[tuple[bytes, bytes]], query: bytes = b"") -> tuple[bytes, str]:
    """Scheme (lower case) and token of a request: raw ASGI headers (names too) and query string.

    Raises:
        DoubledAuthorization: more than one Authorization header, or a token in the query.
        Unauthenticated: no Authorization header, or one of another scheme.
    """
    shown = [value for name, value in headers if name == b"authorization"]
    if len(shown) > 1 or (query and _token_in_query(query)):
        raise DoubledAuthorization
    if not shown:
        raise Unauthenticated(headers={"WWW-Authenticate": NOBODY})
    scheme, _, token = shown[0].partition(b" ")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise Unauthenticated(headers={"WWW-Authenticate": NOBODY})
    return scheme, token.strip(b" ").decode("latin-1")


def _token_in_query(query: bytes) -> bool:
    # As text: of bytes, parse_qsl would have ASCII alone once it is decoded.
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return any(name == "access_token" for name, _ in pairs)
