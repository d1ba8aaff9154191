"""Client assertions (RFC 7523): reading, signature, claims. The rules are the contract's.

`aud` is the issuer as one string; `exp` at most 10 minutes ahead; `iat` and `nbf` at most 60 s
ahead; `jti` required and used once. Only what a key has signed is explained to its sender.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from auth.jwks import ALGORITHMS, canonical_algorithm, fitting_keys

MAX_AHEAD = timedelta(minutes=10)
MAX_SKEW = timedelta(seconds=60)
LEEWAY = timedelta(seconds=10)
MAX_JTI = 512
FAR = 1e11
"""Seconds; what lies beyond has no place in the calendar of `datetime`."""


class AssertionRegistry(JWSRegistry):
    """The algorithms of FAPI 2.0; headers long enough for an x5c chain."""

    max_header_length = 4096

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - joserfc does not export the model's type
        """The algorithm of a name; `EdDSA` is `Ed25519`."""
        return super().get_alg(canonical_algorithm(name))


# Header members that are not understood are ignored (RFC 7515 4); `crit` was refused before.
REGISTRY = AssertionRegistry(
    algorithms=sorted({canonical_algorithm(name) for name in ALGORITHMS}),
    strict_check_header=False,
)


@dataclass(frozen=True, slots=True)
class UsedAssertion:
    """What marks an assertion as used: SHA-256 of its `jti`, kept until it can no longer serve.

    At `unused` it was surely not used yet: it would have been refused for lying too far ahead.
    """

    client_id: str
    digest: bytes
    expires: datetime
    unused: datetime


def verify_signature(text: str, header: dict[str, Any], keys: Sequence[Key]) -> None:
    """Hold an assertion against every key of its sender that may have signed it.

    Raises:
        InvalidClientError: none of them did.
    """
    for key in fitting_keys(keys, header["alg"], header.get("kid")):
        try:
            jws.deserialize_compact(text, key, registry=REGISTRY)
        except (JoseError, ValueError, TypeError):
            continue
        return
    raise unknown_client()


def unknown_client() -> InvalidClientError:
    """One answer for an unknown client and for a signature by another key: ids are not probed."""
    return InvalidClientError(
        description="The client is unknown, or none of its keys made this signature."
    )


def check_claims(claims: dict[str, Any], issuer: str, now: datetime) -> UsedAssertion:
    """Hold the claims of an assertion against the rules, by the database's clock.

    Raises:
        InvalidClientError: which rule is broken.
    """
    client_id, jti = claims.get("sub"), claims.get("jti")
    if not isinstance(client_id, str) or claims.get("iss") != client_id:
        raise InvalidClientError(description="iss and sub must both be the client_id.")
    if claims.get("aud") != issuer:
        raise InvalidClientError(description="aud must be the issuer, as one string.")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise InvalidClientError(description="jti must be a string of 1 to 512 characters.")
    expires = _number(claims, "exp")
    if expires is None or not now - LEEWAY < _instant(expires) <= now + MAX_AHEAD:
        raise InvalidClientError(description="exp must lie ahead, by at most 10 minutes.")
    unused = _instant(expires) - MAX_AHEAD
    for name in ("iat", "nbf"):
        if name in claims:
            instant = _number(claims, name)
            if instant is None or _instant(instant) > now + MAX_SKEW:
                raise InvalidClientError(description=f"{name} must not lie over 60 s ahead.")
            unused = max(unused, _instant(instant) - MAX_SKEW)
    digest = hashlib.sha256(jti.encode(errors="surrogatepass")).digest()
    return UsedAssertion(client_id, digest, _instant(expires) + MAX_SKEW, unused)


def _number(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 2) as a finite number; None for anything else."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Neither NaN nor infinity passes, nor an integer too large for a float.
    return float(value) if 0 <= value < FAR else None


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
