"""What an agency sends to rotate its client's key by itself: one statement, signed twice."""

import secrets
import time
from collections.abc import Mapping
from json import dumps
from typing import Any

from joserfc import jws
from joserfc.jwk import JWKRegistry, Key

from auth.client_keys import TYPE
from cli.client_file import Algorithm, make_key

ALGORITHMS = ["ES256", "PS256", "Ed25519"]


def signed(key: Key, claims: Mapping[str, Any], typ: str = TYPE) -> str:
    header = {"typ": typ, "alg": key.alg, "kid": key.kid}
    registry = jws.JWSRegistry(algorithms=ALGORITHMS)
    return jws.serialize_compact(header, dumps(claims), key, registry=registry)


def claims_of(client_file: Mapping[str, Any], new: Key, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": client_file["client_id"],
        "sub": client_file["client_id"],
        "aud": client_file["issuer"],
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
        "jwk": new.as_dict(private=False),
        **changes,
    }


def key_statement(
    client_file: Mapping[str, Any], new: Key | None = None, **changes: Any
) -> dict[str, str]:
    """The body of `POST /v1/client/keys`; without `new` for a key that nobody keeps."""
    new = new or make_key(Algorithm.ES256)
    claims = claims_of(client_file, new, **changes)
    old = JWKRegistry.import_key(client_file["private_jwk"])
    return {"statement": signed(old, claims), "proof": signed(new, claims)}
