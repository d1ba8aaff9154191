"""Keys of a client in time: two at once for a while, the old ones with an end.

A registered key may carry `exp` (RFC 7519 NumericDate): from then on it signs nothing any more.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.jwk import Key

from auth.jwks import KeysRefused, public_jwks, read_public_keys

KEEP = timedelta(days=14)
"""How long an old key still serves beside a new one."""
WARNING = timedelta(days=30)
"""How long before its end a key or client is warned of."""


def in_force(jwks: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The set without keys that have ended."""
    keys = [key for key in jwks.get("keys", ()) if key.get("exp", now.timestamp() + 1) > _at(now)]
    return {"keys": keys}


def rotated(
    jwks: Mapping[str, Any], fresh: Sequence[Key], now: datetime, keep: timedelta
) -> dict[str, Any]:
    """The set with new keys in it; the newest of the old ones ends after `keep`, others now.

    Raises:
        KeysRefused: a new key is one of the old ones, or bears one's name.
    """
    held = in_force(jwks, now)["keys"]
    known = {key.thumbprint() for key in (read_public_keys({"keys": held}) if held else ())}
    names = {key["kid"] for key in held}
    for key in fresh:
        if key.thumbprint() in known or key.kid in names:
            raise KeysRefused("this key, or one of its kid, is registered already")
    end = int((now + keep).timestamp())
    kept = [{**key, "exp": min(end, key.get("exp", end))} for key in held[-1:] if keep]
    return {"keys": [*kept, *public_jwks(fresh)["keys"]]}


def ends(key: Mapping[str, Any]) -> datetime | None:
    """When a registered key ends, if it does."""
    return datetime.fromtimestamp(key["exp"], UTC) if "exp" in key else None


def _at(now: datetime) -> int:
    return int(now.timestamp())
