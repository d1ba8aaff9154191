"""Region codes of both systems, for any valid token."""

from typing import cast

import orjson
from fastapi import APIRouter, Response

from api.call import JSON, Call, Served
from api.document import documented
from api.query import Parameter, read_query
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from schemas.wilayah import System
from schemas.wilayah_answer import CODE_PATTERN, LONGEST_CODE, WILAYAH_SCHEMA, answer

router = APIRouter(prefix="/v1/wilayah", tags=["reference"], route_class=GuardedRoute)

FIND = Operation("wilayah.find", None, "reference")

PARAMETERS = (
    Parameter(
        "code",
        CODE_PATTERN,
        LONGEST_CODE,
        "A code of any level, dots optional: every region that it may stand for.",
    ),
    Parameter(
        "system",
        "^(kemendagri|bps)$",
        10,
        "Whose code it is; without it both systems are searched.",
    ),
    Parameter("within", CODE_PATTERN, LONGEST_CODE, "A province: its regencies and cities."),
)


@router.get(
    "",
    **documented(FIND, answers={JSON: WILAYAH_SCHEMA}, body=False, people=False, query=PARAMETERS),
)
@served(Served(FIND))
async def find(call: Call) -> Response:
    """Find regions by code, in both systems, with what they were before.

    A code means nothing without its system: 91 is Papua to Kemendagri and Papua Barat to BPS. A
    bare code that may stand for several regions is answered with all of them, and `ambiguous`.
    Without parameters: the provinces.
    """
    asked = read_query(call, PARAMETERS)
    system = cast("System | None", asked.get("system"))
    return await call.tell(orjson.dumps(answer(asked.get("code"), system, asked.get("within"))))
