"""A client's own rotation of its key: one statement, signed by the old key and by the new one.

A token alone changes no key: whoever stole one has neither of them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from authlib.oauth2.rfc6749.errors import InvalidClientError
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from auth.assertions import REGISTRY, UsedAssertion, check_claims
from auth.endpoint import FENCE
from auth.jwks import KeysRefused, fitting_keys, read_public_keys
from auth.rotation import KEEP, in_force, rotated
from dtsen.database import OUTAGES
from dtsen.errors import Fault, InvalidRequest, Unavailable

TYPE = "client-keys+jwt"
LONGEST = 8_192


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation that is rightly asked for: the keys that were, that will be, and its mark."""

    known: str
    keys: Sequence[Mapping[str, Any]]
    used: UsedAssertion


HELD = """
SELECT jwks::text AS jwks FROM auth.client
WHERE client_id = $1 AND auth_method = 'private_key_jwt' AND revoked_at IS NULL
"""


async def read_rotation(
    pool: asyncpg.Pool, client_id: str, statement: str, proof: str, *, issuer: str, now: datetime
) -> Rotation:
    """What a client asks for, checked against its registered keys.

    Raises:
        InvalidRequest: at `/statement` or `/proof`: what does not hold.
        Unavailable: the database could not be asked.
    """
    try:
        held = await pool.fetchval(HELD, client_id)
    except OUTAGES:
        raise Unavailable from None
    if held is None:
        raise _refused("/statement", "no-key-of-this-client")
    jwks = in_force(json.loads(held), now)
    # One that was replaced signs tokens until its end, and names no successor.
    standing = {"keys": [key for key in jwks["keys"] if "exp" not in key]}
    old = read_public_keys(standing) if standing["keys"] else ()
    claims = _signed("/statement", statement, old)
    try:
        used = check_claims(claims, issuer, now)
        if used.client_id != client_id:
            raise _refused("/statement", "another-client")
        (new,) = read_public_keys({"keys": [claims.get("jwk")]})
        signer = jws.extract_compact(statement.encode()).headers().get("kid")
        first = sorted(jwks["keys"], key=lambda key: signer in {None, key["kid"]})
        made = rotated({"keys": first}, [new], now, KEEP)
    except InvalidClientError:
        raise _refused("/statement", "claims-do-not-hold") from None
    except KeysRefused:
        raise _refused("/statement", "key-refused") from None
    if _signed("/proof", proof, [new]) != claims:
        raise _refused("/proof", "another-statement")
    return Rotation(held, made["keys"], used)


async def rotate(pool: asyncpg.Pool, rotation: Rotation) -> None:
    """Make it take effect, once.

    Raises:
        InvalidRequest: the statement was used before, or the keys changed meanwhile.
        Unavailable: the outcome is not known.
    """
    used = rotation.used
    told = json.dumps({"keys": rotation.keys})
    try:
        done = await pool.fetchval(
            ROTATE,
            *(used.client_id, rotation.known, told),
            *(used.digest, used.expires, used.unused),
        )
        fence = None if done else await pool.fetchval(FENCE)
    except OUTAGES:
        raise Unavailable from None
    if not done:
        if fence is None or used.unused < fence:
            raise Unavailable  # a failover may have lost the mark of its use
        raise _refused("/statement", "used-before")


ROTATE = "SELECT auth.rotate_keys($1, $2::jsonb, $3::jsonb, $4, $5, $6)"


def _signed(place: str, text: str, keys: Sequence[Key]) -> dict[str, Any]:
    """The payload of a compact JWS of our type by one of these keys.

    Raises:
        InvalidRequest: none of them signed it, or it is none.
    """
    try:
        header = jws.extract_compact(text.encode()).headers()
        if header.get("typ") != TYPE or "crit" in header:
            raise _refused(place, "not-a-key-statement")
        for key in fitting_keys(keys, str(header.get("alg")), header.get("kid")):
            read = jws.deserialize_compact(text, key, registry=REGISTRY)
            claims = json.loads(read.payload)
            if isinstance(claims, dict):
                return claims
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _refused(place, "signature-does-not-hold") from None
    raise _refused(place, "no-key-of-this-client")


def _refused(place: str, code: str) -> InvalidRequest:
    return InvalidRequest(faults=[Fault(place, code)])
