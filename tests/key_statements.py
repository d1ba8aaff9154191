"""What an agency sends to rotate its client's key by itself: one statement, signed twice."""

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import JWKRegistry, Key

from auth.client_keys import TYPE
from cli.client_file import Algorithm, make_key

ALGORITHMS = ["ES256", "PS256", "Ed25519"]

OFFERED: dict[str, Key] = {}
"""New keys by `kid`, whether their statements were taken or not."""


def signed(key: Key, claims: Mapping[str, Any], typ: str = TYPE) -> str:
    header = {"typ": typ, "alg": key.alg, "kid": key.kid}
    registry = jws.JWSRegistry(algorithms=ALGORITHMS)
    return jws.serialize_compact(header, json.dumps(claims), key, registry=registry)


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
    """The body of `POST /v1/client/keys`, signed by the key of the client's file."""
    new = new or make_key(Algorithm.ES256)
    OFFERED[str(new.kid)] = new
    claims = claims_of(client_file, new, **changes)
    old = JWKRegistry.import_key(client_file["private_jwk"])
    return {"statement": signed(old, claims), "proof": signed(new, claims)}


def adopt(file: Path, kid: str) -> None:
    """Have a client's file sign with the key that was offered under a name and stands now.

    The one before it signs tokens for a while, and names no successor.
    """
    new = OFFERED.get(kid)
    if new is not None:
        client = json.loads(file.read_text())
        file.write_text(json.dumps(client | {"private_jwk": new.as_dict(private=True)}))
