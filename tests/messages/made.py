"""A signed request, and what is said of it once it was changed."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dtsen.messages import Request, SignatureFault, sign_request
from dtsen.messages.keys import verify
from dtsen.messages.requests import read_request

NOW = 1_795_491_247
CONTENT = b'{"nik":"3374990101900001"}'
HEADERS = [
    ("authorization", "DPoP eyJhbGciOi.J9.x"),
    ("content-type", "application/json"),
    ("dtsen-purpose", "PKH-VERIFIKASI"),
    ("dtsen-actor", "officer"),
    ("dtsen-officer", "petugas-7"),
    ("dtsen-case-ref", "KASUS-1"),
    ("dpop", "eyJ0eXAi.x.y"),
]
REQUEST = Request("POST", "https://api.example.id/v1/individuals/lookup", HEADERS, CONTENT)
KEYS: dict[str, Any] = {
    "ed25519": Ed25519PrivateKey.generate(),
    "ecdsa-p256-sha256": ec.generate_private_key(ec.SECP256R1()),
    "rsa-pss-sha512": rsa.generate_private_key(65537, 2048),
}
KEY = KEYS["ed25519"]


def signed(request=REQUEST, key=KEY, **how) -> Request:
    """The request as it is sent."""
    added = sign_request(request, key, "k1", **{"created": NOW} | how)
    more = [(name.lower(), value) for name, value in added.items()]
    return request._replace(headers=[*request.headers, *more])


def check(request: Request, key=KEY, now: float = NOW) -> None:
    said = read_request(request, now)
    if said.keyid != "k1":
        raise SignatureFault("unknown-key", "keyid")
    verify(key.public_key(), said.algorithm, said.base, said.value)


def refused(request: Request, key=KEY, now: float = NOW) -> tuple[str, str | None]:
    with pytest.raises(SignatureFault) as caught:
        check(request, key, now)
    return caught.value.why, caught.value.field


def changed(request: Request, name: str, value: str | None) -> Request:
    kept = [each for each in request.headers if each[0] != name]
    return request._replace(headers=kept if value is None else [*kept, (name, value)])


def value_of(request: Request, name: str) -> str:
    return dict(request.headers)[name]
