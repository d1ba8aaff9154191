"""Every refusal and failure that leaves the house, with its code, status and texts.

One class an error: `/problems/<code>`, the OpenAPI document and the problem bodies follow from it.
Inside, an error is raised with what is safe to say (names of variables and headers, never values);
only `api/problems.py` knows how it looks on the wire. No text may echo what a caller sent.
"""

from dtsen.errors.absence import (
    NoRelease,
    PathNotFound,
    RecordNotFound,
    SubjectNotFound,
)
from dtsen.errors.base import DtsenError, Fault, every_error
from dtsen.errors.failures import (
    InternalError,
    Unavailable,
)
from dtsen.errors.requests import (
    BodyTooLarge,
    CaseRefRequired,
    CursorExpired,
    DoubledAuthorization,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidRequest,
    MalformedHeader,
    MalformedHttp,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    OfficerRequired,
    PurposeRequired,
    UnsupportedMediaType,
)
from dtsen.errors.retiring import BrownOut, LegacyRetired
from dtsen.errors.rights import (
    ActorNotPermitted,
    AgreementNotInForce,
    AuditScopeRequired,
    FieldNotPermitted,
    InsufficientScope,
    NotJoint,
    ProofRefused,
    PurposeNotPermitted,
    QuotaExhausted,
    RateLimited,
    Unauthenticated,
)
from dtsen.errors.signatures import DigestMismatch, SignatureRefused, SignatureRequired

__all__ = [
    "ActorNotPermitted",
    "AgreementNotInForce",
    "AuditScopeRequired",
    "BodyTooLarge",
    "BrownOut",
    "CaseRefRequired",
    "CursorExpired",
    "DigestMismatch",
    "DoubledAuthorization",
    "DtsenError",
    "Fault",
    "FieldNotPermitted",
    "IdempotencyKeyReused",
    "InsufficientScope",
    "InternalError",
    "InvalidCursor",
    "InvalidRequest",
    "LegacyRetired",
    "MalformedHeader",
    "MalformedHttp",
    "MalformedRequest",
    "MethodNotAllowed",
    "NoRelease",
    "NotAcceptable",
    "NotJoint",
    "OfficerRequired",
    "PathNotFound",
    "ProofRefused",
    "PurposeNotPermitted",
    "PurposeRequired",
    "QuotaExhausted",
    "RateLimited",
    "RecordNotFound",
    "SignatureRefused",
    "SignatureRequired",
    "SubjectNotFound",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMediaType",
    "every_error",
]
