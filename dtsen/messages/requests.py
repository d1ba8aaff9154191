"""Signatures of requests: what they must cover and say, made and read.

The tag and what is covered beside the headers of this house are those of FAPI 2.0 HTTP Signatures.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dtsen.messages.components import Covered, Request, components, field_value, signature_base
from dtsen.messages.faults import SignatureFault
from dtsen.messages.fields import (
    CONTENT_DIGEST,
    check_digest,
    content_digest,
    read_signature,
    signature_fields,
)
from dtsen.messages.keys import PrivateKey, algorithm_of, sign

TAG = "fapi-2-request"
LABEL = "dtsen"

ALWAYS = ("@method", "@target-uri", "authorization")
WHEN_SENT = (CONTENT_DIGEST, "dtsen-purpose", "dtsen-actor", "dtsen-officer", "dtsen-case-ref")
"""Covered wherever they are sent; content always comes with its digest."""
ALSO_SIGNED = ("dpop", "idempotency-key", "content-type")
"""What this module signs beside, and a signer may leave out."""

BEHIND_SECONDS = 60
"""How long a signature serves, from `created`."""
AHEAD_SECONDS = 30
MAX_NONCE = 512
FAR = 1 << 40
"""Seconds; what lies beyond has no place in the calendar."""

REQUIRED = ("created", "keyid", "nonce", "tag")
KNOWN: Mapping[str, type] = {
    "created": int,
    "expires": int,
    "keyid": str,
    "nonce": str,
    "tag": str,
    "alg": str,
}


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """A signature that follows the rules, before any key was held against it."""

    keyid: str
    algorithm: str | None
    nonce: str
    created: int
    base: bytes
    value: bytes

    @property
    def ends(self) -> int:
        """Unix seconds at which it no longer serves."""
        return self.created + BEHIND_SECONDS


def sign_request(
    request: Request,
    key: PrivateKey,
    keyid: str,
    *,
    created: int,
    nonce: str | None = None,
    expires: int | None = None,
) -> dict[str, str]:
    """The fields to add to a request: `Content-Digest` where it has content, and the signature.

    `key` and `keyid` are those of the client's registered key; `created` and `expires` Unix
    seconds. The request's headers must be final: `authorization`, and where they are sent `dpop`
    and all of `dtsen-`.
    """
    added = {"Content-Digest": content_digest(request.content)} if request.content else {}
    headers = [each for each in request.headers if each[0] != CONTENT_DIGEST or not added]
    headers += [(name.lower(), value) for name, value in added.items()]
    whole = request._replace(headers=headers)
    sent = {name for name, _ in headers}
    names = [*ALWAYS, *(name for name in (*WHEN_SENT, *ALSO_SIGNED) if name in sent)]
    parameters: dict[str, Any] = {"created": created}
    if expires is not None:
        parameters["expires"] = expires
    parameters |= {
        "nonce": nonce or secrets.token_urlsafe(16),
        "keyid": keyid,
        "alg": algorithm_of(key.public_key()),
        "tag": TAG,
    }
    covered = Covered(components(names), parameters)
    value = sign(key, signature_base(covered, whole, None))
    return added | signature_fields(LABEL, covered, value)


def read_request(request: Request, now: float) -> RequestSignature:
    """The signature of a request, held against all rules but that of its key.

    Raises:
        SignatureFault: one of them is broken.
    """
    signed = read_signature(request.headers)
    _check_parameters(signed.covered.parameters, now)
    for name in ALWAYS:
        if not signed.covered.covers(name):
            raise SignatureFault("missing-component", name)
    for name in WHEN_SENT:
        if field_value(request.headers, name) is not None and not signed.covered.covers(name):
            raise SignatureFault("missing-component", name)
    digest = field_value(request.headers, CONTENT_DIGEST)
    if digest is not None:
        check_digest(digest, request.content)
    elif request.content:
        raise SignatureFault("missing-component", CONTENT_DIGEST)
    said = signed.covered.parameters
    return RequestSignature(
        keyid=said["keyid"],
        algorithm=said.get("alg"),
        nonce=said["nonce"],
        created=said["created"],
        base=signature_base(signed.covered, request, None),
        value=signed.value,
    )


def _check_parameters(said: Mapping[str, Any], now: float) -> None:
    for name in REQUIRED:
        if name not in said:
            raise SignatureFault("missing-parameter", name)
    for name, value in said.items():
        if name not in KNOWN:
            raise SignatureFault("malformed-parameter")
        if type(value) is not KNOWN[name]:
            raise SignatureFault("malformed-parameter", name)
    if not 0 < len(said["nonce"]) <= MAX_NONCE:
        raise SignatureFault("malformed-parameter", "nonce")
    if said["tag"] != TAG:
        raise SignatureFault("wrong-tag", "tag")
    if not now - BEHIND_SECONDS < said["created"] <= now + AHEAD_SECONDS:
        raise SignatureFault("not-now", "created")
    if not now < said.get("expires", FAR) <= FAR or said.get("expires", FAR) < said["created"]:
        raise SignatureFault("not-now", "expires")
