"""What FastAPI is told of an operation: its id, its answers, its problems by explicit code.

Every status that an operation can answer stands in the document, and no other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response

from api.problems import MEDIA_TYPE as PROBLEM
from dtsen.disclosure.mandate import Operation
from dtsen.errors import (
    AgreementNotInForce,
    BodyTooLarge,
    DoubledAuthorization,
    DtsenError,
    InsufficientScope,
    InvalidRequest,
    MalformedHeader,
    MalformedRequest,
    NotAcceptable,
    PurposeNotPermitted,
    PurposeRequired,
    QuotaExhausted,
    RateLimited,
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
    Unauthenticated,
    NotAcceptable,
    RateLimited,
    Unavailable,
)
SCOPED: Errors = (PurposeRequired, InsufficientScope, PurposeNotPermitted, AgreementNotInForce)
WITH_BODY: Errors = (MalformedRequest, BodyTooLarge, UnsupportedMediaType, InvalidRequest)

LIMITS = {
    "RateLimit-Policy": {"schema": {"type": "string", "maxLength": 500}},
    "RateLimit": {"schema": {"type": "string", "maxLength": 500}},
}
RECORDED = {
    "DTSEN-Access-Record": {
        "description": "Record id and leaf hash: your receipt.",
        "schema": {"type": "string", "maxLength": 120},
    },
}
HEADERS: Sequence[tuple[str, str]] = (
    ("DTSEN-Purpose", r"^[A-Z0-9][A-Z0-9-]{0,63}$"),
    ("DTSEN-Actor", r"^(officer|subject|system)$"),
    ("DTSEN-Officer", r"^[\x21-\x7e]{1,128}$"),
    ("DTSEN-Case-Ref", r"^[\x21-\x7e]{1,128}$"),
)


def documented(
    operation: Operation,
    errors: Errors = (),
    *,
    answers: Mapping[str, Mapping[str, Any]],
    body: bool = True,
    people: bool = True,
    unchanged: bool = False,
) -> dict[str, Any]:
    """Arguments of a route. `answers`: schema by media type; `unchanged`: a 304 is possible."""
    raised = [*ALWAYS, *errors]
    if operation.scope is not None:
        raised += SCOPED
    if body:
        raised += WITH_BODY
    if people:
        raised.append(QuotaExhausted)
    by_status: dict[int, list[type[DtsenError]]] = defaultdict(list)
    for error in raised:
        by_status[error.status].append(error)
    said = {"headers": LIMITS | RECORDED}
    content = {media_type: {"schema": schema} for media_type, schema in answers.items()}
    responses: dict[int, Any] = {200: {"description": "Answered.", "content": content, **said}}
    if unchanged:
        responses[304] = {"description": "What you hold is still what is answered.", **said}
    responses |= {status: _problem(kinds) for status, kinds in sorted(by_status.items())}
    return {
        "operation_id": operation.id,
        "response_class": Response,
        "responses": responses,
        "openapi_extra": {
            "security": [{SECURITY_SCHEME: [operation.scope] if operation.scope else []}],
            "parameters": [_header(*header) for header in HEADERS] if operation.scope else [],
        },
    }


def _problem(kinds: Sequence[type[DtsenError]]) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if kinds[0].status in {RateLimited.status, Unavailable.status}:
        headers["Retry-After"] = {"schema": {"type": "string", "maxLength": 10}}
    if kinds[0].status == Unauthenticated.status:
        headers["WWW-Authenticate"] = {"schema": {"type": "string", "maxLength": 500}}
    return {
        "description": " ".join(f"`{kind.code}`: {kind.title.en}." for kind in kinds),
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        **({"headers": headers} if headers else {}),
    }


def _header(name: str, pattern: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": 128, "pattern": pattern},
    }
