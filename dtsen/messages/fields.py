"""The fields of signatures and digests: read strictly, written as RFC 9651 has them."""

import hashlib
import hmac
from base64 import b64encode
from typing import Any, NamedTuple

import http_sf

from dtsen.messages.components import Covered, Headers, field_value
from dtsen.messages.faults import SignatureFault

SIGNATURE, SIGNATURE_INPUT = "signature", "signature-input"
ACCEPT_SIGNATURE, CONTENT_DIGEST = "accept-signature", "content-digest"

DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
"""Those that count (RFC 9530 5); a digest by any other is passed over."""


class Signed(NamedTuple):
    """The one signature of a message: its label, what it is over, its bytes."""

    label: str
    covered: Covered
    value: bytes


def dictionary(text: str) -> dict[str, Any]:
    """A dictionary of structured fields, no name of which is said twice.

    Raises:
        SignatureFault: it is none.
    """
    try:
        read: Any = http_sf.parse(
            text.encode("ascii"), tltype="dictionary", on_duplicate_key=_refuse
        )
    except (ValueError, TypeError, IndexError, OverflowError):
        raise SignatureFault("malformed") from None
    return dict(read)


def read_signature(headers: Headers) -> Signed:
    """The one signature of a message.

    Raises:
        SignatureFault: there is none, more than one, or it is malformed.
    """
    said = field_value(headers, SIGNATURE_INPUT), field_value(headers, SIGNATURE)
    if said[0] is None or said[1] is None:
        raise SignatureFault("malformed")
    inputs, values = dictionary(said[0]), dictionary(said[1])
    if len(inputs) > 1 or len(values) > 1:
        raise SignatureFault("several-signatures")
    if not inputs or inputs.keys() != values.keys():
        raise SignatureFault("malformed")
    ((label, member),) = inputs.items()
    value = values[label]
    value = value[0] if isinstance(value, tuple) and not value[1] else value
    if not isinstance(value, bytes):
        raise SignatureFault("malformed")
    return Signed(label, read_covered(member), value)


def read_covered(member: object) -> Covered:
    """What a member of `Signature-Input` or `Accept-Signature` is over.

    Raises:
        SignatureFault: it is no inner list of strings.
    """
    items, parameters = member if isinstance(member, tuple) else (None, {})
    if not isinstance(items, list):
        raise SignatureFault("malformed")
    if not all(type(name) is str and name == name.lower() for name, _ in items):
        raise SignatureFault("malformed")
    return Covered(items, parameters)


def signature_fields(label: str, covered: Covered, value: bytes) -> dict[str, str]:
    """The two fields that carry a signature."""
    return {
        "Signature-Input": f"{label}={covered.text()}",
        "Signature": f"{label}=:{b64encode(value).decode()}:",
    }


def content_digest(content: bytes) -> str:
    """`Content-Digest` of content (RFC 9530), by SHA-256."""
    return f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"


def check_digest(said: str, content: bytes) -> None:
    """Hold content against its digests.

    Raises:
        SignatureFault: one of them is not its digest, or none of them is by a hash that counts.
    """
    held = 0
    for name, member in dictionary(said).items():
        value = member[0] if isinstance(member, tuple) and not member[1] else member
        if not isinstance(value, bytes):
            raise SignatureFault("malformed", CONTENT_DIGEST)
        if name in DIGESTS:
            if not hmac.compare_digest(DIGESTS[name](content).digest(), value):
                raise SignatureFault("wrong-digest", CONTENT_DIGEST)
            held += 1
    if not held:
        raise SignatureFault("wrong-digest", CONTENT_DIGEST)


def _refuse(*_: object) -> None:
    raise ValueError
