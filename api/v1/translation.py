"""Ids of another agency, translated to one's own under a joint agreement."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.call import JSON, Call, Served
from api.document import documented
from api.inputs import LONGEST_ID
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from dtsen.errors import NoRelease, NotJoint
from dtsen.translation import rendering, resolved, wanting
from schemas.agreement_terms import Code
from schemas.answers import LONGEST_BATCH, translation_answer

router = APIRouter(prefix="/v1/individuals", tags=["individuals"], route_class=GuardedRoute)

OtherId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


class TranslateRequest(BaseModel):
    """Up to a thousand ids of one other agency; duplicates are answered in place, charged once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: Annotated[list[OtherId], Field(min_length=1, max_length=LONGEST_BATCH)]
    from_: Annotated[Code, Field(alias="from", description="Code of the agency that has the ids.")]


TRANSLATE = Operation("individuals.translate", "individuals:translate", "read")


@router.post(
    "/translate",
    **documented(TRANSLATE, (NotJoint, NoRelease), answers={JSON: translation_answer()}),
)
@served(Served(TRANSLATE, bulk=True))
async def translate(call: Call, body: TranslateRequest) -> Response:
    """Give your agency's own ids for those that another agency gave you.

    Only while an agreement of each of you is in force and names the other. Order is kept. What is
    no id of that agency, or of nobody within your scope, is `not_found`. Both agencies find the
    translation in their log.
    """
    niks = resolved(call.parts.gate.ids, body.from_, body.ids)
    return await call.disclose(
        wanting(body.from_, niks, call.parts.clock),
        len(niks),
        rendering(body.ids, niks),
        {"by": "id", "from": body.from_},
    )
