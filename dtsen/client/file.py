"""The file of a client: who it is, where it asks, and what it proves that with (contract 3)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from dtsen.client.errors import ClientFileInvalid

ClientFile = Mapping[str, Any]

NEEDED = frozenset({"client_id", "issuer", "auth_method", "token_binding"})
KEYS = {
    "private_key_jwt": ("private_jwk",),
    "self_signed_tls_client_auth": ("certificate", "key"),
}
"""What each way to authenticate needs."""
BINDINGS = {"none": (), "dpop": ("dpop_private_jwk",), "mtls": ("certificate", "key")}
"""What each way to bind a token needs."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def read_client_file(path: Path) -> ClientFile:
    """A client's file.

    Raises:
        ClientFileInvalid: it cannot be read, or is none; the text names the path and what is wrong.
    """
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise ClientFileInvalid(f"{path} is no client's file: it is not JSON") from None
    try:
        return checked(held)
    except ClientFileInvalid as error:
        raise ClientFileInvalid(f"{path} is no client's file: {error}") from None


def checked(held: object) -> ClientFile:
    """What a client's file holds, wherever it is kept.

    Raises:
        ClientFileInvalid: something is missing, or is not known to this version.
    """
    if not isinstance(held, dict) or not held.keys() >= NEEDED:
        raise ClientFileInvalid(f"it lacks {', '.join(sorted(NEEDED))}, or some of them")
    for member, known in (("auth_method", KEYS), ("token_binding", BINDINGS)):
        if held[member] not in known:
            raise ClientFileInvalid(f"its {member} is none of {', '.join(known)}")
        lacking = [name for name in known[held[member]] if not held.get(name)]
        if lacking:
            raise ClientFileInvalid(f"its {member} needs {', '.join(lacking)}")
    for member in ("issuer", "token_endpoint"):
        if member in held:
            encrypted(held[member])
    for member in ("private_jwk", "dpop_private_jwk"):
        if member in held:
            _usable(member, held[member])
    return held


def _usable(member: str, jwk: object) -> None:
    """See that a key can sign, and say nothing of it if not."""
    try:
        key = JWKRegistry.import_key(dict(jwk))  # type: ignore[call-overload]
        good = key.is_private and key.alg and (key.kid or member != "private_jwk")
    except (JoseError, ValueError, TypeError, KeyError):
        good = False
    if not good:
        raise ClientFileInvalid(f"its {member} is no private key with alg and kid")


def encrypted(url: str) -> str:
    """An address to which tokens and identity numbers may go: https, or this machine.

    Raises:
        ClientFileInvalid: it is not.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return url
    raise ClientFileInvalid("an address in it is neither https nor on this machine")
