"""Clients' public keys: which a client may register, and which of them fits a signature.

RFC 7517 (JWK), RFC 7518 and RFC 9864 (algorithms), FAPI 2.0 Security Profile 5.4 (ES256, PS256,
Ed25519; RSA from 2048 bits). `Ed25519` and `EdDSA` are one algorithm here, whatever a key says.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

ALGORITHMS = ("ES256", "PS256", "Ed25519", "EdDSA")
"""What an assertion may be signed with, as server metadata lists it (RFC 8414)."""

MAX_KEYS = 10
MAX_KID = 128
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192

PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
KINDS: dict[str, tuple[type[ECKey] | type[RSAKey] | type[OKPKey], tuple[str, ...], str | None]] = {
    "ES256": (ECKey, ("crv", "x", "y"), "P-256"),
    "PS256": (RSAKey, ("n", "e"), None),
    "Ed25519": (OKPKey, ("crv", "x"), "Ed25519"),
}


class KeysRefused(ValueError):
    """A key set that may not be registered; the text says why and never holds key material."""


def canonical_algorithm(name: str) -> str:
    """The one name of an algorithm: `EdDSA` is `Ed25519` (RFC 9864)."""
    return "Ed25519" if name == "EdDSA" else name


def read_public_keys(jwks: object) -> tuple[Key, ...]:
    """The keys of a JWK set, each with `kid` and a canonical `alg`.

    Raises:
        KeysRefused: it is no JWK set, or one of its keys may not be registered.
    """
    members = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(members, list) or not 1 <= len(members) <= MAX_KEYS:
        raise KeysRefused(f"a JWK set has a member keys with 1 to {MAX_KEYS} keys (RFC 7517)")
    keys = tuple(_read_key(f"/keys/{place}", member) for place, member in enumerate(members))
    if len({(key.kid, key.alg) for key in keys}) < len(keys):
        raise KeysRefused("two keys have the same kid and algorithm")
    return keys


def public_jwks(keys: Iterable[Key]) -> dict[str, Any]:
    """The JWK set of keys, without any private member."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def fitting_keys(keys: Sequence[Key], algorithm: str, kid: str | None) -> tuple[Key, ...]:
    """Those that may have made a signature of this algorithm, and of this `kid` where one is said.

    Several may share a `kid`: algorithm and key type then tell them apart (FAPI 2.0 5.4.3).
    """
    wanted = canonical_algorithm(algorithm)
    return tuple(key for key in keys if key.alg == wanted and kid in {None, key.kid})


def _read_key(place: str, member: object) -> Key:
    if not isinstance(member, dict):
        raise KeysRefused(f"{place}: not an object")
    if PRIVATE & member.keys():
        raise KeysRefused(f"{place}: holds a private or symmetric key; register public keys only")
    kid, alg = member.get("kid"), member.get("alg")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID or not kid.isprintable():
        raise KeysRefused(f"{place}: needs a kid of 1 to {MAX_KID} printable characters")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise KeysRefused(f"{place}: needs an alg out of {', '.join(ALGORITHMS)}")
    if member.get("use", "sig") != "sig" or member.get("key_ops", ["verify"]) != ["verify"]:
        raise KeysRefused(f"{place}: is not meant for signatures")
    return read_key(place, member, canonical_algorithm(alg), kid)


def read_key(
    place: str, member: Mapping[str, object], algorithm: str, kid: str | None = None
) -> Key:
    """A public JWK as a key of an algorithm (by its canonical name); other members are left out.

    Raises:
        KeysRefused: it is none; `place` says where it stands.
    """
    kind, parts, curve = KINDS[algorithm]
    if member.get("kty") != kind.key_type or (curve and member.get("crv") != curve):
        raise KeysRefused(
            f"{place}: {algorithm} needs kty {kind.key_type}" + (f", {curve}" if curve else "")
        )
    if kind is RSAKey:
        _check_modulus(place, member.get("n"))
    chosen = {part: str(member.get(part)) for part in parts}
    marks = {"alg": algorithm, "use": "sig", **({"kid": kid} if kid else {})}
    try:
        return kind.import_key({"kty": kind.key_type, **chosen, **marks})
    except (JoseError, ValueError, TypeError):
        raise KeysRefused(f"{place}: its numbers are not a key") from None


def _check_modulus(place: str, modulus: object) -> None:
    """Before the import: joserfc only warns of a short key."""
    if not isinstance(modulus, str):
        raise KeysRefused(f"{place}: has no modulus")
    try:
        number = base64.b64decode(modulus + "=" * (-len(modulus) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise KeysRefused(f"{place}: its modulus is not base64url") from None
    if not MIN_RSA_BITS <= int.from_bytes(number).bit_length() <= MAX_RSA_BITS:
        raise KeysRefused(f"{place}: RSA keys have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
