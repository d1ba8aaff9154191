"""Signed requests (RFC 9421): by which of its sender's keys, and what the record keeps of it.

The keys are those that a client is registered with, or those of its certificates. `@target-uri` and
what follows from it are at the issuer, whatever a proxy made of host and port.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import asyncpg
from cryptography import x509
from starlette.types import Scope

from auth.clients import FIND
from auth.dpop import issuer_origin
from auth.jwks import read_public_keys
from auth.rotation import in_force
from dtsen.clock import Clock
from dtsen.database import OUTAGES
from dtsen.disclosure.proof import Signature
from dtsen.errors import Fault, SignatureRefused, Unavailable
from dtsen.messages import Request, SignatureFault
from dtsen.messages.keys import PublicKey, algorithm_of, public_key, thumbprint, verify
from dtsen.messages.requests import AHEAD_SECONDS, RequestSignature, read_request

KEYS_SECONDS = 1.0
"""How long a client's keys are held: no longer than a revocation may take."""
MOST_CLIENTS = 4_096
MOST_CONTENT = 65_536
"""Bytes of a body that a record keeps beside its signature; of a longer one only the digest."""


class ClientKey(NamedTuple):
    """A key by which a client may sign."""

    kid: str
    key: PublicKey


class Signatures:
    """One worker's judge of signed requests."""

    def __init__(self, pool: asyncpg.Pool, issuer: str, clock: Clock) -> None:
        self._pool = pool
        self._issuer = issuer
        self._clock = clock
        self._held: dict[str, tuple[float, tuple[ClientKey, ...]]] = {}

    async def check(self, scope: Scope, content: bytes, client_id: str) -> Signature:
        """Hold a request's signature against the keys of its client.

        Raises:
            SignatureRefused: it does not hold; `errors` say why.
            Unavailable: the client's keys could not be read.
        """
        try:
            said = read_request(
                request_of(scope, self._issuer, content), self._clock.now().timestamp()
            )
            signer = _signer(said, await self._keys(client_id))
        except SignatureFault as fault:
            raise SignatureRefused(faults=[Fault("", fault.why, fault.field)]) from None
        mark = hashlib.sha256(f"{said.keyid}\n{said.nonce}".encode()).digest()
        kept = {
            "base": said.base.decode(),
            "value": b64encode(said.value).decode(),
            "key": thumbprint(signer.key),
            "content": _kept(content),
        }
        ends, unused = (
            datetime.fromtimestamp(each, UTC) for each in (said.ends, said.created - AHEAD_SECONDS)
        )
        return Signature(mark, ends, unused, kept)

    async def _keys(self, client_id: str) -> tuple[ClientKey, ...]:
        now = self._clock.monotonic()
        read_at, keys = self._held.get(client_id, (float("-inf"), ()))
        if now - read_at < KEYS_SECONDS:
            return keys
        try:
            row = await self._pool.fetchrow(FIND, client_id)
        except OUTAGES as error:
            raise Unavailable from error
        keys = () if row is None else _keys_of(dict(row))
        if len(self._held) >= MOST_CLIENTS:
            self._held.clear()
        self._held[client_id] = now, keys
        return keys


def request_of(scope: Scope, issuer: str, content: bytes = b"") -> Request:
    """A request as its signer saw it: sent to the issuer."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope["query_string"]
    target = (path + (b"?" + query if query else b"")).decode("latin-1")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    return Request(scope["method"], issuer_origin(issuer) + target, headers, content)


def _signer(said: RequestSignature, keys: tuple[ClientKey, ...]) -> ClientKey:
    """The key that made a signature.

    Raises:
        SignatureFault: none of them did.
    """
    fault = SignatureFault("unknown-key", "keyid")
    for one in keys:
        if one.kid == said.keyid:
            try:
                verify(one.key, said.algorithm, said.base, said.value)
            except SignatureFault as why:
                fault = why
            else:
                return one
    raise fault


def _keys_of(row: Mapping[str, Any]) -> tuple[ClientKey, ...]:
    jwks, now = json.loads(row["jwks"]), row["now"]
    if row["auth_method"] != "private_key_jwt":
        return tuple(_certified(jwks, now))
    left = in_force(jwks, now)
    keys = read_public_keys(left) if left["keys"] else ()
    return tuple(ClientKey(str(key.kid), public_key(key.as_dict(private=False))) for key in keys)


def _certified(jwks: Mapping[str, Any], now: datetime) -> Iterator[ClientKey]:
    """The keys of certificates that are valid now and sign by an algorithm of ours."""
    for member in jwks["keys"]:
        if not member.get("x5c"):
            continue
        certificate = x509.load_der_x509_certificate(b64decode(member["x5c"][0]))
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            continue
        key: Any = certificate.public_key()
        try:
            algorithm_of(key)
        except ValueError:
            continue
        yield ClientKey(str(member["kid"]), key)


def _kept(content: bytes) -> str | None:
    """A body as a record keeps it; None where it is long, or no text."""
    if len(content) > MOST_CONTENT:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
