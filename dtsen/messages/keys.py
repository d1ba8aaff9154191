"""Signatures by the keys of this house's profile (RFC 9421 3.3).

`alg` may be left out: the key says it (RFC 9421 3.3.7, its JWS algorithm). Only for RSA does that
make a difference: `rsa-pss-sha512` where it is named, PS256 (SHA-256) where it is not.
"""

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from dtsen.messages.faults import SignatureFault

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

P256_BYTES = 32
LEAST_RSA_BITS = 2048


def private_key(jwk: Mapping[str, Any]) -> PrivateKey:
    """The private key of a JWK, such as `private_jwk` of a client's file.

    Raises:
        ValueError: it is none of ours.
    """
    key = _imported(jwk).private_key
    if isinstance(key, Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        algorithm_of(key.public_key())
        return key
    raise ValueError("not a private key")


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """The public key of a JWK, such as one of `/oauth/jwks`.

    Raises:
        ValueError: it is none of ours.
    """
    key = _imported(jwk).public_key
    algorithm_of(key)
    if isinstance(key, Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return key
    raise ValueError("not a public key")


def algorithm_of(key: object) -> str:
    """The name of what a public key signs with, as `alg` says it.

    Raises:
        ValueError: it is no key of the profile.
    """
    if isinstance(key, Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return "ecdsa-p256-sha256"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS:
        return "rsa-pss-sha512"
    raise ValueError("keys are Ed25519, P-256, or RSA from 2048 bits")


def thumbprint(key: PublicKey) -> str:
    """The thumbprint of a public key (RFC 7638)."""
    if isinstance(key, Ed25519PublicKey):
        return OKPKey(key, b"").thumbprint()
    if isinstance(key, rsa.RSAPublicKey):
        return RSAKey(key, b"").thumbprint()
    return ECKey(key, b"").thumbprint()


def sign(key: PrivateKey, base: bytes) -> bytes:
    """A signature over a base, by the algorithm that `algorithm_of` names."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(base)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(base, _pss(SHA512()), SHA512())
    r, s = decode_dss_signature(key.sign(base, ec.ECDSA(SHA256())))
    return r.to_bytes(P256_BYTES) + s.to_bytes(P256_BYTES)


def verify(key: PublicKey, algorithm: object, base: bytes, value: bytes) -> None:
    """Hold a signature against a key; `algorithm` is what `alg` says, None where it is not said.

    Raises:
        SignatureFault: it is of another algorithm, or not by this key.
    """
    if algorithm not in {None, algorithm_of(key)}:
        raise SignatureFault("wrong-algorithm", "alg")
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(value, base)
        elif isinstance(key, rsa.RSAPublicKey):
            digest = SHA512() if algorithm else SHA256()
            key.verify(value, base, _pss(digest), digest)
        else:
            key.verify(_der(value), base, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise SignatureFault("wrong-signature") from None


def _der(value: bytes) -> bytes:
    """An ECDSA signature of two halves as the library has it; of another length, no good one."""
    if len(value) != 2 * P256_BYTES:
        return b""
    r, s = int.from_bytes(value[:P256_BYTES]), int.from_bytes(value[P256_BYTES:])
    return encode_dss_signature(r, s)


def _pss(digest: HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def _imported(jwk: Mapping[str, Any]) -> ECKey | OKPKey | RSAKey:
    key = JWKRegistry.import_key(dict(jwk))
    if not isinstance(key, ECKey | OKPKey | RSAKey):
        raise ValueError("a symmetric key signs nothing here")  # noqa: TRY004 - a value of the right kind
    return key
