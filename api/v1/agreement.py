"""The caller's own agreement, in words and as the OpenAPI document that is exactly its API."""

from asyncio import to_thread
from functools import lru_cache
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Response

from api.call import JSON, Call, Served
from api.document import documented
from api.openapi import document
from api.own.document import own_document
from api.route import GuardedRoute, served
from dtsen.disclosure.authority import AgreementInForce
from dtsen.disclosure.mandate import Mandate, Operation
from schemas.agreement_words import AGREEMENT, told_agreement

router = APIRouter(prefix="/v1", tags=["agreement"], route_class=GuardedRoute)

GET = Operation("agreement.get", None, "reference", own=True)
OPENAPI = Operation("agreement.openapi", None, "reference", own=True)

MOST_DOCUMENTS = 500
"""Documents kept by a worker: one for each agreement and set of scopes in use."""

OWN: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["agreement"],
    "properties": {
        "agreement": {**AGREEMENT, "type": ["object", "null"]},
    },
}
DOCUMENT: dict[str, Any] = {
    "type": "object",
    "description": "An OpenAPI 3.1 document.",
    "required": ["openapi", "info", "servers", "tags", "paths", "components"],
    "properties": {
        "openapi": {"type": "string", "maxLength": 20},
        "info": {"type": "object"},
        "servers": {"type": "array", "maxItems": 10, "items": {"type": "object"}},
        "tags": {"type": "array", "maxItems": 100, "items": {"type": "object"}},
        "paths": {"type": "object"},
        "components": {"type": "object"},
    },
}


@router.get("/agreement", **documented(GET, answers={JSON: OWN}, body=False, people=False))
@served(Served(GET))
async def get(call: Call) -> Response:
    """Read your agency's agreement in words, in Indonesian and English.

    What it opens, on which legal basis, in which form, about whom, how much, until when; whole,
    whatever the scopes of your token. `agreement` is null for a client that is under none, or
    whose agreement has ended; one that has not begun yet is told.
    """
    return await call.tell_own(_words)


@router.get(
    "/openapi.json", **documented(OPENAPI, answers={JSON: DOCUMENT}, body=False, people=False)
)
@served(Served(OPENAPI))
async def openapi(call: Call) -> Response:
    """Read the OpenAPI document that is exactly your API.

    The operations, purposes, variables and masks that your agreement and the scopes of your token
    open now, and the calls that are open to any token. It names no other.
    """
    issuer = call.parts.settings.issuer

    def body(mandate: Mandate) -> bytes:
        agreement = mandate.agreement
        if agreement is not None and call.parts.clock.now() < agreement.starts:
            agreement = None
        return _document(call.app, issuer, agreement, mandate.token.scopes)

    await to_thread(body, call.mandate)  # a fraction of a second at first; then it is kept
    return await call.tell_own(body)


def _words(mandate: Mandate) -> bytes:
    agreement = mandate.agreement
    return orjson.dumps({"agreement": told_agreement(agreement.terms) if agreement else None})


@lru_cache(maxsize=MOST_DOCUMENTS)
def _document(
    app: FastAPI, issuer: str, agreement: AgreementInForce | None, scopes: frozenset[str]
) -> bytes:
    terms = agreement.terms if agreement else None
    return orjson.dumps(own_document(_whole(app, issuer), terms, scopes))


@lru_cache(maxsize=2)
def _whole(app: FastAPI, issuer: str) -> dict[str, Any]:
    return document(app, issuer)
