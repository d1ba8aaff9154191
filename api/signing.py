"""Digests of requests held against their content; answers signed for who asks (RFC 9421 5)."""

import logging
from typing import cast

from fastapi import Request, Response
from starlette.datastructures import Headers

from api.parts import Parts
from auth.signatures import request_of
from dtsen.errors import DigestMismatch, Fault, MalformedHeader
from dtsen.keys import Purpose
from dtsen.messages import Answer, SignatureFault, fields, sign_answer
from dtsen.messages.answers import read_accept
from dtsen.messages.keys import PrivateKey

log = logging.getLogger(__name__)


def is_signed(headers: Headers) -> bool:
    """Whether a request says that it is signed; half of what a signature needs says so too.

    Raises:
        MalformedHeader: `Accept-Signature` cannot be understood, which now can still be told.
    """
    if fields.ACCEPT_SIGNATURE in headers:
        try:
            read_accept(", ".join(headers.getlist(fields.ACCEPT_SIGNATURE)))
        except SignatureFault:
            faults = [Fault("", "malformed-header", fields.ACCEPT_SIGNATURE)]
            raise MalformedHeader(faults=faults) from None
    return fields.SIGNATURE in headers or fields.SIGNATURE_INPUT in headers


def check_digest(headers: Headers, content: bytes) -> None:
    """Hold content against `Content-Digest` where it is sent.

    Raises:
        DigestMismatch: it is not what that says.
    """
    said = headers.getlist(fields.CONTENT_DIGEST)
    if said:
        try:
            fields.check_digest(", ".join(said), content)
        except SignatureFault as fault:
            raise DigestMismatch(faults=[Fault("", fault.why, fault.field)]) from None


def sign(response: Response, asked: Request, parts: Parts) -> None:
    """Sign a finished answer as its request asks; what cannot be signed leaves unsigned.

    Who asked for a signature refuses an answer without one.
    """
    try:
        wanted = read_accept(", ".join(asked.headers.getlist(fields.ACCEPT_SIGNATURE)))
    except SignatureFault:
        return
    now = parts.clock.now()
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers
    ]
    try:
        key = parts.keyring.signing_key(Purpose.SIGNATURES, now)
        added = sign_answer(
            Answer(response.status_code, headers, bytes(response.body)),
            request_of(asked.scope, parts.settings.issuer),
            wanted,
            cast(PrivateKey, key.private_key),
            str(key.kid),
            created=int(now.timestamp()),
        )
    except Exception as failure:  # noqa: BLE001 - the record is durable: what it tells must leave
        log.error("an answer could not be signed: %s", type(failure).__name__)  # noqa: TRY400 - a traceback may hold personal data
        return
    response.raw_headers.extend(
        (name.lower().encode(), value.encode()) for name, value in added.items()
    )
