"""Proofs of possession (RFC 9449): one is read, verified and held against the request it came with.

`htu` is compared with the issuer alone, never with what a proxy passed on. A proof serves for 60 s
by its `iat`; that it serves once is for the recording statement to say.
"""

import binascii
import hashlib
import json
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from auth.assertions import FAR, MAX_JTI
from auth.jwks import ALGORITHMS, PRIVATE, KeysRefused, canonical_algorithm, read_key
from dtsen.disclosure.proof import Proof

TYPE = "dpop+jwt"
MAX_PROOF = 12_000
"""Characters; a proof by an RSA key of 8192 bits has 5,000."""
BEHIND = timedelta(seconds=60)
AHEAD = timedelta(seconds=30)
LEEWAY = timedelta(seconds=10)
SEGMENTS = 3
DEFAULT_PORTS = {"http": 80, "https": 443}
UNRESERVED = "-._~"

TOKEN_FAULT = "invalid_token"  # noqa: S105 - an error of RFC 6750
PROOF_FAULT = "invalid_dpop_proof"
NONCE_FAULT = "use_dpop_nonce"


class ProofFault(Exception):
    """A proof that does not hold; the text says why and repeats nothing that was sent."""

    def __init__(self, reason: str, error: str = PROOF_FAULT) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


@dataclass(frozen=True, slots=True)
class Target:
    """What a proof must have been made for: method, `htu` as we know it, and the token if any.

    `digest` is SHA-256 of the access token that the proof comes with.
    """

    method: str
    url: str
    digest: bytes | None = None


def target_url(issuer: str, path: str) -> str:
    """What `htu` must say for a path, in normal form (RFC 3986 6.2)."""
    return issuer_origin(issuer) + _normal_path(path)


def single(headers: Sequence[bytes]) -> bytes:
    """The one DPoP header of a request.

    Raises:
        ProofFault: there is none, or more than one.
    """
    if len(headers) != 1:
        raise ProofFault("Exactly one DPoP header is needed.")
    return headers[0]


def read_proof(text: bytes, target: Target, now: datetime) -> tuple[Proof, str | None]:
    """The proof of a DPoP header, and the nonce it carries.

    Raises:
        ProofFault: it does not hold for this target now.
    """
    segments = text.split(b".")
    if len(segments) != SEGMENTS or len(text) > MAX_PROOF:
        raise ProofFault("The DPoP proof is not a JWT.")
    key, algorithm, thumbprint = _read_header(segments[0])
    message, _, signature = text.rpartition(b".")
    verify = JWSRegistry.algorithms[algorithm].verify
    if not verify(message, _decoded(signature), key):
        raise ProofFault("The signature of the DPoP proof is not by the key in it.")
    claims = _object(segments[1])
    issued = _check_claims(claims, target, now)
    mark = hashlib.sha256(f"{thumbprint}\n{claims['jti']}".encode(errors="surrogatepass"))
    nonce = claims.get("nonce")
    return (
        Proof(thumbprint, mark.digest(), issued + BEHIND, issued - AHEAD),
        nonce if isinstance(nonce, str) else None,
    )


def _check_claims(claims: dict[str, Any], target: Target, now: datetime) -> datetime:
    """Hold the claims against the request; when the proof was made."""
    jti, url = claims.get("jti"), claims.get("htu")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise ProofFault("jti must be a string of 1 to 512 characters.")
    if claims.get("htm") != target.method:
        raise ProofFault("htm is not the method of this request.")
    if not isinstance(url, str) or _normal_url(url) != target.url:
        raise ProofFault("htu is not the issuer and the path of this request.")
    issued = _instant(claims, "iat")
    if issued is None or not now - BEHIND < issued <= now + AHEAD:
        raise ProofFault("iat must lie within the last 60 s.")
    if "exp" in claims and not _lies(_instant(claims, "exp"), now - LEEWAY, None):
        raise ProofFault("exp lies in the past.")
    if "nbf" in claims and not _lies(_instant(claims, "nbf"), None, now + AHEAD):
        raise ProofFault("nbf lies ahead.")
    if target.digest is not None and claims.get("ath") != _base64url(target.digest):
        raise ProofFault("ath is not the hash of this access token.")
    return issued


@lru_cache(maxsize=2048)
def _read_header(segment: bytes) -> tuple[Key, str, str]:
    """Key, algorithm and thumbprint (RFC 7638); a client's proofs share their header."""
    header = _object(segment)
    alg, jwk = header.get("alg"), header.get("jwk")
    if header.get("typ") != TYPE:
        raise ProofFault(f"typ of the DPoP proof must be {TYPE}.")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise ProofFault(f"alg of the DPoP proof must be one of {', '.join(ALGORITHMS)}.")
    if {"crit", "b64"} & header.keys():
        raise ProofFault("The header of the DPoP proof is not understood.")
    if not isinstance(jwk, dict) or PRIVATE & jwk.keys():
        raise ProofFault("jwk must be a public key.")
    algorithm = canonical_algorithm(alg)
    try:
        key = read_key("jwk", jwk, algorithm)
    except KeysRefused:
        raise ProofFault("jwk is not a key of this algorithm; RSA has 2048 bits or more.") from None
    return key, algorithm, key.thumbprint()


def _object(segment: bytes) -> dict[str, Any]:
    try:
        read = json.loads(_decoded(segment))
    except (ValueError, RecursionError):
        raise ProofFault("The DPoP proof is not a JWT.") from None
    if not isinstance(read, dict):
        raise ProofFault("The DPoP proof is not a JWT.")
    return read


def _decoded(segment: bytes) -> bytes:
    if b"=" in segment:
        raise ProofFault("The DPoP proof is not a JWT.")
    try:
        return b64decode(segment + b"=" * (-len(segment) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ProofFault("The DPoP proof is not a JWT.") from None


def _instant(claims: dict[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519 2); None for anything else."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < FAR:
        return None
    return datetime.fromtimestamp(value, UTC)


def _lies(instant: datetime | None, after: datetime | None, until: datetime | None) -> bool:
    return (
        instant is not None
        and (after is None or instant > after)
        and (until is None or instant <= until)
    )


@lru_cache(maxsize=64)
def issuer_origin(issuer: str) -> str:
    """An issuer without its default port, which a proof may write out or leave away."""
    return _normal_url(issuer).removesuffix("/")


@lru_cache(maxsize=4096)
def _normal_url(url: str) -> str:
    """Scheme and host in lower case, no default port, no query, no fragment; "" if it is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in {None, DEFAULT_PORTS[scheme]} else f":{port}"
    return f"{scheme}://{host}{shown}{_normal_path(parts.path or '/')}"


@lru_cache(maxsize=4096)
def _normal_path(path: str) -> str:
    """Percent-encodings in upper case, and none of what needs none (RFC 3986 6.2.2)."""
    if "%" not in path:
        return path
    pieces = path.split("%")
    normal = [pieces[0]]
    for piece in pieces[1:]:
        octet = unquote_to_bytes(f"%{piece[:2]}")
        plain = len(octet) == 1 and (octet.isalnum() or octet.decode("latin-1") in UNRESERVED)
        normal.append((octet.decode() if plain else f"%{piece[:2].upper()}") + piece[2:])
    return "".join(normal)


def _base64url(content: bytes) -> str:
    return b2a_base64(content, newline=False).decode().translate(_URL_SAFE).rstrip("=")


_URL_SAFE = str.maketrans("+/", "-_")
