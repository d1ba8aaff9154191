"""Proofs of possession (RFC 9449) as a client makes them."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import JWKRegistry
from joserfc.jws import JWSRegistry

from dtsen.clock import Clock


class _Registry(JWSRegistry):
    """Headers long enough for the public key of RSA inside them."""

    max_header_length = 8192


_REGISTRY = _Registry(algorithms=["ES256", "PS256", "Ed25519"], strict_check_header=False)


def make_proof(
    private_jwk: Mapping[str, Any],
    method: str,
    url: str,
    *,
    token: str | None = None,
    nonce: str | None = None,
) -> str:
    """A proof for one request; with `token`, for one that shows it.

    `url` is the issuer and the path, without query and fragment, whatever stands between.
    """
    key = JWKRegistry.import_key(dict(private_jwk))
    header = {"typ": "dpop+jwt", "alg": key.alg, "jwk": key.as_dict(private=False)}
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": int(Clock().now().timestamp()),
    }
    if token is not None:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = urlsafe_b64encode(digest).rstrip(b"=").decode()
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.encode(header, claims, key, registry=_REGISTRY)
