"""What FastAPI is told of an operation: its id, its answers, its problems by explicit code.

Every status that an operation can answer stands in the document, and no other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response

from api.conditional import TAGS_PATTERN
from api.problems import MEDIA_TYPE as PROBLEM
from api.query import Parameter
from api.retiring import RETIRING
from dtsen.disclosure.mandate import Operation
from dtsen.errors import (
    ActorNotPermitted,
    AgreementNotInForce,
    BodyTooLarge,
    BrownOut,
    CaseRefRequired,
    DigestMismatch,
    DoubledAuthorization,
    DtsenError,
    IdempotencyKeyReused,
    InsufficientScope,
    InvalidRequest,
    LegacyRetired,
    MalformedHeader,
    MalformedRequest,
    NotAcceptable,
    OfficerRequired,
    ProofRefused,
    PurposeNotPermitted,
    PurposeRequired,
    QuotaExhausted,
    RateLimited,
    SignatureRefused,
    SignatureRequired,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)

JSON = "application/json"
SECURITY_SCHEME = "accessToken"

Errors = tuple[type[DtsenError], ...]

ALWAYS: Errors = (
    DoubledAuthorization,
    MalformedHeader,
    SignatureRequired,
    SignatureRefused,
    Unauthenticated,
    ProofRefused,
    NotAcceptable,
    RateLimited,
    Unavailable,
)
SCOPED: Errors = (
    PurposeRequired,
    OfficerRequired,
    CaseRefRequired,
    InsufficientScope,
    PurposeNotPermitted,
    ActorNotPermitted,
    AgreementNotInForce,
)
WITH_BODY: Errors = (
    MalformedRequest,
    DigestMismatch,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidRequest,
)


def _answered(longest: int, description: str, **more: object) -> dict[str, Any]:
    """A header that an answer always has."""
    schema = {"type": "string", "maxLength": longest, **more}
    return {"description": description, "required": True, "schema": schema}


def _asked(name: str, longest: int, pattern: str, description: str) -> dict[str, Any]:
    """A header that a request may have."""
    schema = {"type": "string", "maxLength": longest, "pattern": pattern}
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": schema,
    }


LIMITS = {
    "RateLimit-Policy": _answered(500, "Your limits (draft-ietf-httpapi-ratelimit-headers)."),
    "RateLimit": _answered(500, "What is left of them, at least; seconds until they begin anew."),
}
RECORDED = {
    "DTSEN-Access-Record": _answered(
        120,
        "Record id and leaf hash: your receipt.",
        pattern=r'^"[0-9a-f-]{36}";leaf=:[A-Za-z0-9+/]{43}=:$',
    ),
}
RELEASE = {"DTSEN-Release": _answered(32, "The release that answers.")}
TAG = {"ETag": _answered(60, "Changes whenever the answer does.", pattern='^"[A-Za-z0-9_-]+"$')}
RETRY = {"Retry-After": _answered(10, "Seconds to wait.", pattern="^[0-9]+$")}
CHALLENGE = {"WWW-Authenticate": _answered(500, "RFC 6750, or RFC 9449 for tokens bound to a key.")}

ASKED = (
    _asked(
        "DTSEN-Purpose",
        64,
        "^[A-Z0-9][A-Z0-9-]{0,63}$",
        "Why you ask; may be left out where your agreement has one purpose for this operation.",
    ),
    _asked("DTSEN-Actor", 7, "^(officer|subject|system)$", "Who set the request off."),
    _asked("DTSEN-Officer", 128, "^[!-~]{1,128}$", "Your own name for the officer."),
    _asked("DTSEN-Case-Ref", 128, "^[!-~]{1,128}$", "Your own reference of the case."),
)
IDEMPOTENCY_KEY = _asked(
    "Idempotency-Key",
    128,
    "^[!-~]{1,128}$",
    "Yours to choose, for 24 hours: the same request again costs a request and no people.",
)
IF_NONE_MATCH = _asked(
    "If-None-Match", 500, TAGS_PATTERN, "Entity tags of answers that you hold: 304 if one still is."
)
SIGNED = (
    _asked(
        "Signature-Input",
        8_000,
        "^[a-z*][ -~]*$",
        "What `Signature` is over (RFC 9421); docs/agencies/signing.md has the rules.",
    ),
    _asked(
        "Signature",
        1_500,
        "^[a-z*][a-z0-9_.*-]*=:[A-Za-z0-9+/=]+:$",
        "Of the request, by your registered key; needed where your agreement wants it. A signature"
        " that is sent holds, or the request is refused.",
    ),
    _asked(
        "Accept-Signature",
        2_000,
        "^[a-z*][ -~]*$",
        "Asks for a signed answer, as in `dtsen=();created`: any status, by a key of the JWK set.",
    ),
)
DIGEST = _asked(
    "Content-Digest",
    300,
    "^[a-z0-9*][a-z0-9_.*-]*=:[A-Za-z0-9+/=]+:",
    "Of the body (RFC 9530), by SHA-256 or SHA-512; checked wherever it is sent.",
)
SIGNATURES = {
    name: _answered(longest, description) | {"required": False}
    for name, longest, description in (
        ("Content-Digest", 60, "Of the body, by SHA-256, where a signed answer was asked for."),
        ("Signature-Input", 8_000, "What `Signature` is over, the request's target included."),
        ("Signature", 200, "Of the answer, where it was asked for (RFC 9421)."),
    )
}
RECORDED_STATUSES = frozenset({403, 406, 410, 413, 415, 422})
"""Refusals that only an authenticated caller meets, each with a record of its own."""


def documented(
    operation: Operation,
    errors: Errors = (),
    *,
    answers: Mapping[str, Mapping[str, Any]],
    body: bool = True,
    people: bool = True,
    unchanged: bool = False,
    query: Sequence[Parameter] = (),
    retiring: bool = False,
) -> dict[str, Any]:
    """Arguments of a route. `answers`: schema by media type; `unchanged`: a 304 is possible."""
    raised = [*ALWAYS, *errors]
    raised += (BrownOut, LegacyRetired) if retiring else ()
    raised += (InvalidRequest,) if query else ()
    raised += SCOPED if operation.scope is not None else ()
    raised += WITH_BODY if body else ()
    raised += (QuotaExhausted, IdempotencyKeyReused) if people else ()
    by_status: dict[int, list[type[DtsenError]]] = defaultdict(list)
    for error in raised:
        by_status[error.status].append(error)
    headers = LIMITS | RECORDED | (RELEASE if people else {}) | (TAG if unchanged else {})
    content = {media_type: {"schema": schema} for media_type, schema in answers.items()}
    responses: dict[int, Any] = {
        200: {"description": "Answered.", "headers": headers, "content": content}
    }
    if unchanged:
        responses[304] = {"description": "You hold the answer already.", "headers": headers}
    responses |= {status: _problem(kinds) for status, kinds in sorted(by_status.items())}
    for response in responses.values():
        more = SIGNATURES | (RETIRING if retiring else {})
        response["headers"] = response.get("headers", {}) | more
    asked = [one.described() for one in query]
    asked += ASKED if operation.scope else ()
    if people:
        asked.append(IDEMPOTENCY_KEY)
    if unchanged:
        asked.append(IF_NONE_MATCH)
    asked += [DIGEST, *SIGNED] if body else SIGNED
    return {
        "operation_id": operation.id,
        "response_class": Response,
        "responses": responses,
        "openapi_extra": {
            "security": [{SECURITY_SCHEME: [operation.scope] if operation.scope else []}],
            "parameters": asked,
        },
    }


def _problem(kinds: Sequence[type[DtsenError]]) -> dict[str, Any]:
    status = kinds[0].status
    headers: dict[str, Any] = {}
    if status in RECORDED_STATUSES:
        headers |= LIMITS | RECORDED
    if status == RateLimited.status:
        headers |= LIMITS | RETRY
    if status == Unavailable.status:
        headers |= RETRY
    if status == Unauthenticated.status:
        headers |= CHALLENGE
    if InsufficientScope in kinds:
        headers |= {name: {**header, "required": False} for name, header in CHALLENGE.items()}
    return {
        "description": " ".join(f"`{kind.code}`: {kind.title.en}." for kind in kinds),
        **({"headers": headers} if headers else {}),
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
