"""People: one by NIK or by the agency's own id, and batches of up to a thousand."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.absence import absent
from api.call import JSON, Call, Served
from api.conditional import held_tags
from api.document import documented
from api.inputs import AsOf, Fields, SubjectId
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Mandate, Operation
from dtsen.disclosure.pairwise import Kind
from dtsen.disclosure.question import Person, Render, Rendering, Seen
from dtsen.errors import FieldNotPermitted, NoRelease, SubjectNotFound
from dtsen.individuals import told, told_withheld, wanting
from dtsen.releases.current import release_as_of
from schemas.answers import batch_answer, person_answer
from schemas.identifiers import Nik

NDJSON = "application/x-ndjson"
MOST_IN_A_BATCH = 1_000
_WHOM = {"nik", "niks"}

router = APIRouter(prefix="/v1/individuals", tags=["individuals"], route_class=GuardedRoute)


class IndividualLookup(BaseModel):
    """One NIK, and what of the person is wanted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nik: Nik
    fields: Fields | None = None
    as_of: AsOf | None = None


class BatchLookup(BaseModel):
    """Up to a thousand NIKs; duplicates are answered in place and charged once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    niks: Annotated[list[Nik], Field(min_length=1, max_length=MOST_IN_A_BATCH)]
    fields: Fields | None = None


INDIVIDUAL = {"$ref": "#/components/schemas/Individual"}
ONE = person_answer(INDIVIDUAL)
MANY = batch_answer(INDIVIDUAL)
BATCH_ANSWERS = {JSON: MANY, NDJSON: MANY["properties"]["results"]["items"]}
BY_ID_ANSWERS: dict[str, Any] = {"answers": {JSON: ONE}, "body": False, "unchanged": True}
ABSENT = (SubjectNotFound, FieldNotPermitted, NoRelease)

LOOKUP = Operation("individuals.lookup", "individuals:read", "read")
BY_ID = Operation("individuals.get", "individuals:read", "read")
BATCH = Operation("individuals.batch-lookup", "individuals:read", "read")


@router.post(
    "/lookup",
    **documented(LOOKUP, ABSENT, answers={JSON: ONE}),
)
@served(Served(LOOKUP))
async def lookup(call: Call, body: IndividualLookup) -> Response:
    """Look one person up by NIK.

    Answers what the registry holds of this person in one release, as far as your agreement opens
    it. A 404 says that the person is not recorded there within your scope, and where to go.
    """
    as_of = await release_as_of(call.parts.pool, body.as_of)
    want = wanting(niks=(body.nik,), fields=body.fields, as_of=as_of)
    return await call.disclose(want, 1, _one(call, body.nik), _query(body))


@router.get(
    "/{id:subject_id}",
    **documented(BY_ID, (SubjectNotFound, NoRelease), **BY_ID_ANSWERS),
)
@served(Served(BY_ID))
async def get(call: Call, id: SubjectId) -> Response:  # noqa: A002 - the contract's name
    """Look one person up by your agency's own opaque id.

    The only answer with an `ETag`; a 304 is recorded and charged like a 200.
    """
    held = held_tags(call.headers.getlist("if-none-match"))
    nik = call.parts.gate.ids.resolve(call.mandate.agency, Kind.INDIVIDUAL, id)
    want = wanting(niks=(nik,) if nik else ())
    return await call.disclose(want, 1, _one(call, nik, held=held), {"by": "id"})


@router.post(
    "/batch-lookup", **documented(BATCH, (FieldNotPermitted, NoRelease), answers=BATCH_ANSWERS)
)
@served(Served(BATCH, (JSON, NDJSON), bulk=True))
async def batch_lookup(call: Call, body: BatchLookup) -> Response:
    """Look up to a thousand people up by NIK.

    Order is kept, duplicates are answered in place and charged once. One invalid item refuses the
    whole request unread.
    """
    want = wanting(niks=body.niks, fields=body.fields)
    return await call.disclose(want, len(set(body.niks)), _many(call, body.niks), _query(body))


def _one(call: Call, nik: str | None, *, held: frozenset[str] | None = None) -> Render:
    def render(mandate: Mandate, seen: Seen) -> Rendering:
        person = seen.people.get(nik) if nik else None
        if person is None or seen.release is None:
            return absent(call, mandate, seen)
        body = orjson.dumps(
            {
                "release": seen.release.id,
                "individual": told(person),
                "withheld": told_withheld(person.withheld),
            }
        )
        return Rendering(200, body) if held is None else _tagged(call, body, held)

    return render


def _tagged(call: Call, body: bytes, held: frozenset[str]) -> Rendering:
    """The answer with its ETag, or a 304 where the caller holds these very bytes."""
    tag = f'"{call.parts.gate.ids.tag(call.mandate.agency, body)}"'
    if held & {tag, "*"}:
        return Rendering(304, b"", headers={"ETag": tag})
    return Rendering(200, body, headers={"ETag": tag})


def _many(call: Call, niks: list[str]) -> Render:
    lines = call.media_type == NDJSON

    def render(_: Mandate, seen: Seen) -> Rendering:
        if seen.release is None:
            raise NoRelease
        results = [_result(nik, seen.people.get(nik)) for nik in niks]
        if lines:
            return Rendering(200, b"".join(orjson.dumps(r) + b"\n" for r in results))
        return Rendering(200, orjson.dumps({"release": seen.release.id, "results": results}))

    return render


def _result(nik: str, person: Person | None) -> dict[str, object]:
    if person is None:
        return {"nik": nik, "status": "not_found"}
    return {
        "nik": nik,
        "status": "found",
        "individual": told(person),
        "withheld": told_withheld(person.withheld),
    }


def _query(body: IndividualLookup | BatchLookup) -> dict[str, object]:
    """What was asked, beside whom; recorded as a salted digest."""
    said = {name: getattr(body, name) for name in body.model_fields_set - _WHOM}
    return {name: value for name, value in said.items() if value is not None} | {"by": "nik"}
