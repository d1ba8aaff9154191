"""What FastAPI is told of an operation: its id, its problems by explicit code, its security.

Every status that an operation can answer stands in the document, and no other. Examples and shapes
of answers come from `api/examples.py`, so that a test can send and compare them.
"""

from collections import defaultdict
from typing import Any

from auth.tokens import SECURITY_SCHEME
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


def documented(
    operation: Operation, errors: Errors = (), *, body: bool = True, people: bool = True
) -> dict[str, Any]:
    """Arguments of a route: what FastAPI and the OpenAPI document need to know."""
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
    return {
        "operation_id": operation.id,
        "response_class": _Documented,
        "responses": {status: _problem(kinds) for status, kinds in sorted(by_status.items())},
        "openapi_extra": {
            "security": [{SECURITY_SCHEME: [operation.scope] if operation.scope else []}],
        },
    }
