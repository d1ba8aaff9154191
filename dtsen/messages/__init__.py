"""Signed HTTP messages (RFC 9421) with content digests (RFC 9530), by the profile of this house.

Pure: texts and keys in, texts out; used by who signs a request, who checks it, and the same for
answers. `docs/agencies/signing.md` tells the profile.
"""

from dtsen.messages.answers import accept_signature, sign_answer, verify_answer
from dtsen.messages.components import Answer, Request
from dtsen.messages.faults import SignatureFault
from dtsen.messages.requests import sign_request

__all__ = [
    "Answer",
    "Request",
    "SignatureFault",
    "accept_signature",
    "sign_answer",
    "sign_request",
    "verify_answer",
]
