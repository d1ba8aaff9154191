"""A client's session with the authorization server: from a client file to an access token."""

import secrets
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import JWKRegistry
from joserfc.jws import JWSRegistry

from dtsen.clock import Clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60

_REGISTRY = JWSRegistry(algorithms=["ES256", "PS256", "Ed25519"])


class TokenRefused(Exception):
    """The authorization server gave no token; the text is its error (RFC 6749 5.2)."""


def sign_assertion(client_file: dict[str, Any]) -> str:
    """A client assertion (RFC 7523) for one use, by the private key of a client file."""
    key = JWKRegistry.import_key(client_file["private_jwk"])
    now = int(Clock().now().timestamp())
    claims = {
        "iss": client_file["client_id"],
        "sub": client_file["client_id"],
        "aud": client_file["issuer"],
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode({"alg": key.alg, "kid": key.kid}, claims, key, registry=_REGISTRY)


def fetch_token(client_file: dict[str, Any], *, http: httpx2.Client) -> str:
    """An access token with the scope of a client file.

    Raises:
        TokenRefused: the server refused.
        httpx2.HTTPError: it could not be reached.
    """
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign_assertion(client_file),
    }
    if client_file.get("scope"):
        form["scope"] = client_file["scope"]
    answer = http.post(client_file["token_endpoint"], data=form)
    if answer.status_code != httpx2.codes.OK:
        raise TokenRefused(_reason(answer))
    token: str = answer.json()["access_token"]
    return token


def _reason(answer: httpx2.Response) -> str:
    """What the server said, on one line."""
    try:
        body = answer.json()
        reason = f"{body['error']}: {body.get('error_description', '')}"
    except (ValueError, KeyError, TypeError):
        reason = f"HTTP {answer.status_code}"
    return reason.splitlines()[0]
