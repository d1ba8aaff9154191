"""The dictionary: variables, code lists and masks, for any valid token."""

from functools import cache

import orjson
from fastapi import APIRouter, Response

from api.call import JSON, Call, Served
from api.document import documented
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from schemas.dictionary import DICTIONARY_SCHEMA, dictionary

router = APIRouter(prefix="/v1/dictionary", tags=["reference"], route_class=GuardedRoute)

GET = Operation("dictionary.get", None, "reference")


@router.get("", **documented(GET, answers={JSON: DICTIONARY_SCHEMA}, body=False, people=False))
@served(Served(GET))
async def get(call: Call) -> Response:
    """Read the variables and code lists of the newest metadata version.

    Code lists are open: a release may carry new codes.
    """
    return await call.tell(_body())


@cache
def _body() -> bytes:
    return orjson.dumps(dictionary())
