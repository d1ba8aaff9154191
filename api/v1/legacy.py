"""Legacy ids: what became of the identifiers of DTKS days."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.call import JSON, Call, Served
from api.document import documented
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from dtsen.errors import NoRelease
from dtsen.legacy import reversing
from dtsen.legacy.answer import MOST_IDENTIFIERS, RESOLUTIONS, REVERSALS
from dtsen.legacy.resolving import expanding, rendering, wanting
from dtsen.legacy.schemes import LONGEST_VALUE, SchemeName, read
from dtsen.legacy.scoreboard import SCOREBOARD, WEEKS, scoreboard
from schemas.agreement import Agreement
from schemas.identifiers import Nik

router = APIRouter(prefix="/v1/legacy", tags=["legacy"], route_class=GuardedRoute)


class LegacyIdentifier(BaseModel):
    """One legacy id as your records have it; a wrong form is an outcome, not an error."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scheme: SchemeName
    value: Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]


class ResolveRequest(BaseModel):
    """Up to a thousand legacy ids; duplicates are answered in place and charged once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    identifiers: Annotated[list[LegacyIdentifier], Field(min_length=1, max_length=MOST_IDENTIFIERS)]


class ReverseRequest(BaseModel):
    """Up to a thousand NIKs; duplicates are answered in place and charged once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    niks: Annotated[list[Nik], Field(min_length=1, max_length=MOST_IDENTIFIERS)]


RESOLVE = Operation("legacy.dtks-resolve", "legacy:resolve", "read")
BOARD = Operation("legacy.scoreboard", "legacy:read", "reference")
REVERSE = Operation("legacy.dtks-reverse", "legacy:resolve", "read")


@router.post("/dtks/resolve", **documented(RESOLVE, (NoRelease,), answers={JSON: RESOLUTIONS}))
@served(Served(RESOLVE, bulk=True))
async def resolve(call: Call, body: ResolveRequest) -> Response:
    """Translate DTKS ids into the people and families of the release in force.

    A household is not a family, and identifiers were doubled, merged and never matched: every
    result says its outcome, lists who may be meant with the evidence, and advises what to do next.
    Nothing is ever picked in silence.
    """
    readings = [read(one.scheme, one.value) for one in body.identifiers]
    asked = list(
        dict.fromkeys(tuple(one.identifier or (one.scheme.name, one.written)) for one in readings)
    )

    response = await call.disclose(
        wanting,
        len(asked),
        rendering(readings, call.language),
        {"by": "legacy-id", "identifiers": asked},
        expand=expanding(readings),
    )
    read_as_ids = (one.identifier for one in readings if one.identifier)
    call.parts.usage.note(call.mandate, "resolve", read_as_ids)
    return response


@router.post("/dtks/reverse", **documented(REVERSE, (NoRelease,), answers={JSON: REVERSALS}))
@served(Served(REVERSE, bulk=True))
async def reverse(call: Call, body: ReverseRequest) -> Response:
    """Give the legacy ids of people: for those whose other systems still ask by them.

    Each id comes with its evidence and with what `resolve` says of it, since it may stand for
    others too. Order is kept. An empty list: in the registry, and never known to DTKS.
    """
    return await call.disclose(
        reversing.wanting(body.niks),
        len(set(body.niks)),
        reversing.rendering(body.niks, call.language),
        {"by": "nik"},
        expand=reversing.expand,
        subjects=tuple(dict.fromkeys(body.niks)),
    )


@router.get(
    "/scoreboard", **documented(BOARD, answers={JSON: SCOREBOARD}, body=False, people=False)
)
@served(Served(BOARD))
async def board(call: Call) -> Response:
    """See how far the move away from legacy ids is, per client.

    Calls and distinct legacy ids by week (from Monday, WIB), the trend, and when nothing legacy is
    left if it goes on so. You see your own agency; under an agreement of role `pengawas`, all.
    Identifiers are counted by keyed index; a worker's counts are seconds old.
    """
    agreement = call.mandate.agreement
    every = agreement is not None and agreement.role == "pengawas"
    weeks = await call.parts.usage.progress(None if every else call.mandate.agency, WEEKS)
    return await call.tell(orjson.dumps(scoreboard(weeks, _terms(call))))


def _terms(call: Call) -> dict[str, Agreement]:
    """The agreements of all clients, by client."""
    clients = call.parts.authority.current.clients
    return {name: one.agreement.terms for name, one in clients.items() if one.agreement}
