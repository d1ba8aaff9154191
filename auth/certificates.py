"""Certificates of clients (RFC 8705): those that a client registered, and the one it shows.

A certificate is told by SHA-256 over its DER. TLS is ended by a proxy, which passes on what the
client showed in one header; only named hops are believed (`auth.hops`).
"""

import hashlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

MAX_CERTIFICATE = 16_384
"""Characters of a certificate as a proxy passes it on."""


class CertificateRefused(ValueError):
    """A text that is no certificate; it is not repeated."""


class Certificate(NamedTuple):
    """A certificate: SHA-256 of its DER, and the time in which it is valid."""

    digest: bytes
    starts: datetime
    ends: datetime

    @property
    def thumbprint(self) -> str:
        """What `x5t#S256` says of it (RFC 8705 3.1)."""
        return urlsafe_b64encode(self.digest).rstrip(b"=").decode()

    def valid(self, now: datetime) -> bool:
        """Whether it is valid at an instant."""
        return self.starts <= now < self.ends


@lru_cache(maxsize=2048)
def read_forwarded(text: bytes) -> Certificate | None:
    """The certificate in the header of a hop (PEM, percent-encoded); None if it is none."""
    if len(text) > MAX_CERTIFICATE:
        return None
    try:
        return read_pem(unquote_to_bytes(text))
    except CertificateRefused:
        return None


def read_pem(text: bytes) -> Certificate:
    """The one certificate of a PEM text.

    Raises:
        CertificateRefused: it is none.
    """
    try:
        found = x509.load_pem_x509_certificate(text)
        return Certificate(
            hashlib.sha256(_der(found)).digest(),
            found.not_valid_before_utc,
            found.not_valid_after_utc,
        )
    except ValueError:
        raise CertificateRefused("no certificate in PEM") from None


def as_jwk(text: bytes) -> dict[str, Any]:
    """A PEM certificate as it is kept: the member `x5c` of a JWK (RFC 8705 2.2.2, RFC 7517 4.7).

    `exp` is its end, as of any key that has one (`auth.rotation`).

    Raises:
        CertificateRefused: it is none.
    """
    certificate = read_pem(text)
    der = _der(x509.load_pem_x509_certificate(text))
    return {
        "kid": certificate.thumbprint,
        "use": "sig",
        "x5c": [b64encode(der).decode()],
        "exp": int(certificate.ends.timestamp()),
    }


def registered(jwks: Mapping[str, Any]) -> frozenset[bytes]:
    """Digests of the certificates of a JWK set."""
    return frozenset(
        hashlib.sha256(b64decode(key["x5c"][0])).digest() for key in jwks["keys"] if key.get("x5c")
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
