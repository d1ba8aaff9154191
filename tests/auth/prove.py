"""Proofs of possession for tests: right ones, and ones with anything changed."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import Key

from tests.auth.make import ISSUER, new_key, signed

KEYS = {name: new_key(name, f"proof-{name}") for name in ("ES256", "PS256", "Ed25519")}
TOKEN_URL = f"{ISSUER}/oauth/token"


def ath(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def proof(
    key: Key | None = None,
    *,
    header: dict[str, Any] | None = None,
    algorithm: str | None = None,
    method: str = "POST",
    url: str = TOKEN_URL,
    token: str | None = None,
    **changes: Any,
) -> str:
    """A right proof but for what is changed; None takes a member away, a function makes one."""
    key = key or KEYS["ES256"]
    right = {
        "typ": "dpop+jwt",
        "alg": key.alg,
        "jwk": key.as_dict(private=False),
        **(header or {}),
    }
    claims = {
        "jti": secrets.token_hex(16),
        "htm": method,
        "htu": url,
        "iat": datetime.now(UTC).timestamp(),
        **({"ath": ath(token)} if token else {}),
        **changes,
    }
    claims |= {k: v() for k, v in claims.items() if callable(v)}
    kept = [{k: v for k, v in part.items() if v is not None} for part in (right, claims)]
    return signed(kept[0], kept[1], key, algorithm=algorithm)


def at(moved: float) -> Callable[[], float]:
    """An instant by the time at which the proof is made."""
    return lambda: datetime.now(UTC).timestamp() + moved
