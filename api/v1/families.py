"""Families: by KK or by the agency's own id, with the members that the agreement opens."""

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from api.absence import absent
from api.call import JSON, Call, Served
from api.document import documented
from api.inputs import AsOf, Fields, SubjectId
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Mandate, Operation
from dtsen.disclosure.pairwise import Kind
from dtsen.disclosure.question import Render, Rendering, Seen
from dtsen.errors import FieldNotPermitted, NoRelease, SubjectNotFound
from dtsen.families import told_family
from dtsen.individuals import told_withheld, wanting
from dtsen.releases.current import release_as_of
from schemas.answers import family_answer
from schemas.identifiers import Kk

router = APIRouter(prefix="/v1/families", tags=["families"], route_class=GuardedRoute)


class FamilyLookup(BaseModel):
    """One KK, and what of the family and its members is wanted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nomor_kartu_keluarga: Kk
    fields: Fields | None = None
    as_of: AsOf | None = None


ONE = family_answer({"$ref": "#/components/schemas/Family"})
ABSENT = (SubjectNotFound, FieldNotPermitted, NoRelease)

LOOKUP = Operation("families.lookup", "families:read", "read")
BY_ID = Operation("families.get", "families:read", "read")


@router.post(
    "/lookup",
    **documented(LOOKUP, ABSENT, answers={JSON: ONE}),
)
@served(Served(LOOKUP))
async def lookup(call: Call, body: FamilyLookup) -> Response:
    """Look one family up by KK, with its members.

    Members outside your agreement's scope are neither listed nor counted. A new family card is a
    new family: look it up by its own number.
    """
    kk = body.nomor_kartu_keluarga
    as_of = await release_as_of(call.parts.pool, body.as_of)
    want = wanting(kks=(kk,), fields=body.fields, as_of=as_of)
    query = body.model_dump(exclude={"nomor_kartu_keluarga"}, exclude_none=True) | {"by": "kk"}
    return await call.disclose(want, 1, _family(call, kk), query)


@router.get(
    "/{id:subject_id}",
    **documented(BY_ID, (SubjectNotFound, NoRelease), answers={JSON: ONE}, body=False),
)
@served(Served(BY_ID))
async def get(call: Call, id: SubjectId) -> Response:  # noqa: A002 - the contract's name
    """Look one family up by your agency's own opaque id."""
    kk = call.parts.gate.ids.resolve(call.mandate.agency, Kind.FAMILY, id)
    want = wanting(kks=(kk,) if kk else ())
    return await call.disclose(want, 1, _family(call, kk), {"by": "id"})


def _family(call: Call, kk: str | None) -> Render:
    def render(mandate: Mandate, seen: Seen) -> Rendering:
        family = seen.families.get(kk) if kk else None
        if family is None or seen.release is None:
            return absent(call, mandate, seen)
        answer = {
            "release": seen.release.id,
            "family": told_family(family),
            "withheld": told_withheld(family.withheld),
        }
        return Rendering(200, orjson.dumps(answer))

    return render
