"""What a client does about itself: rotating its key."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.call import JSON, Call, Served
from api.document import documented
from api.route import GuardedRoute, served
from auth.client_keys import LONGEST, read_rotation, rotate
from dtsen.disclosure.mandate import Operation

router = APIRouter(prefix="/v1/client", tags=["client"], route_class=GuardedRoute)

Statement = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST,
        pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        description="A compact JWS (RFC 7515) of type `client-keys+jwt`.",
    ),
]


class NewKey(BaseModel):
    """One statement, signed twice: by a registered key, and by the new key that it names."""

    model_config = ConfigDict(extra="forbid", strict=True)

    statement: Statement
    proof: Statement


KEYS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["keys"],
    "properties": {
        "keys": {
            "type": "array",
            "maxItems": 10,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kid", "alg", "valid_until"],
                "properties": {
                    "kid": {"type": "string", "maxLength": 128},
                    "alg": {"type": "string", "enum": ["ES256", "PS256", "Ed25519"]},
                    "valid_until": {
                        "type": ["string", "null"],
                        "format": "date-time",
                        "maxLength": 40,
                        "description": "Null: no end is set.",
                    },
                },
            },
        }
    },
}

ROTATE = Operation("client.keys", None, "admin")


@router.post("/keys", **documented(ROTATE, answers={JSON: KEYS}, people=False))
@served(Served(ROTATE))
async def rotate_key(call: Call, body: NewKey) -> Response:
    """Rotate your client's key: name a new one, signed by the old one and by itself.

    The key that signed stays valid for 14 days beside the new one; any other ends. Both sign the
    same payload: `iss`, `sub`, `aud`, `iat`, `exp`, `jti` as in a client assertion, and `jwk`, the
    new public key.
    """
    parts = call.parts
    now, client_id = parts.clock.now(), call.mandate.token.client_id
    rotation = await read_rotation(
        parts.pool, client_id, body.statement, body.proof, issuer=parts.settings.issuer, now=now
    )
    kid = rotation.keys[-1]["kid"]
    # Recorded before it takes effect: a key that nobody can account for must not come to be.
    await parts.notes.write(
        "admin",
        ROTATE.id,
        "asked",
        client=client_id,
        agency=call.mandate.agency,
        clear={"key_name": kid},
        personal={"auth": call.mandate.token.shown_as},
    )
    await rotate(parts.pool, rotation)
    return await call.tell(orjson.dumps({"keys": [_told(key) for key in rotation.keys]}))


def _told(key: Any) -> dict[str, Any]:  # noqa: ANN401 - a registered JWK
    until = datetime.fromtimestamp(key["exp"], UTC).isoformat() if "exp" in key else None
    return {"kid": key["kid"], "alg": key["alg"], "valid_until": until}
