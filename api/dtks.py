"""The DTKS-shaped service for programs of those days, on its way out: plain JSON in one order."""

from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from api.call import JSON, Call, Served
from api.document import documented
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from dtsen.errors import FieldNotPermitted, NoRelease
from dtsen.legacy.face import expanding, wanting
from dtsen.legacy.face_answer import HOUSEHOLD, PERSON, rendering
from dtsen.legacy.schemes import LONGEST_VALUE, NIK, SCHEMES, Reading, read_as

router = APIRouter(prefix="/dtks/v1", tags=["dtks"], route_class=GuardedRoute)

_WRITTEN = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_VALUE,
    "pattern": r"^[^\u0000-\u001f]+$",
    "description": "As your records have it: spaces, dots and dashes are read away.",
}
Written = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_VALUE, pattern=r"^[^\x00-\x1f]+$"),
    WithJsonSchema(_WRITTEN),
]


class HouseholdSearch(BaseModel):
    """The id of a household; a wrong form is an answer, not an error."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id_dtks: Written


class MemberSearch(BaseModel):
    """The id of a member, or a NIK: exactly one of the two."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    id_art: Annotated[str | None, WithJsonSchema(_WRITTEN)] = Field(
        default=None, min_length=1, max_length=LONGEST_VALUE, pattern=r"^[^\x00-\x1f]+$"
    )
    nik: Annotated[str | None, WithJsonSchema(_WRITTEN)] = Field(
        default=None, min_length=1, max_length=LONGEST_VALUE, pattern=r"^[^\x00-\x1f]+$"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.id_art is None) == (self.nik is None):
            raise PydanticCustomError("one-of", "exactly one of id_art and nik")
        return self

    def reading(self) -> Reading:
        """The number as it was read."""
        if self.nik is not None:
            return read_as(NIK, self.nik)
        return read_as(SCHEMES["id_art_dtks"], self.id_art or "")


HOUSEHOLDS = Operation("dtks.rumah-tangga-cari", "legacy:read", "read")
MEMBERS = Operation("dtks.art-cari", "legacy:read", "read")
_REFUSED = (FieldNotPermitted, NoRelease)


@router.post(
    "/rumah-tangga/cari",
    **documented(HOUSEHOLDS, _REFUSED, answers={JSON: HOUSEHOLD}, retiring=True),
)
@served(Served(HOUSEHOLDS, retiring=True))
async def households(call: Call, body: HouseholdSearch) -> Response:
    """Find a household by its ID DTKS, as DTKS did.

    `terdaftar` means what it meant in DTKS: inside the population of today's rule, roughly the
    poorest 40 %. Whoever is not listed is told why in `alasan`. The household is answered with
    those of its present families that are listed.
    """
    return await _answered(call, read_as(SCHEMES["id_dtks"], body.id_dtks))


@router.post("/art/cari", **documented(MEMBERS, _REFUSED, answers={JSON: PERSON}, retiring=True))
@served(Served(MEMBERS, retiring=True))
async def members(call: Call, body: MemberSearch) -> Response:
    """Find a household member by ID ART DTKS or NIK, as DTKS did.

    `terdaftar` means inside the population of today's rule; `alasan` tells not found, found without
    a decile and found above the threshold apart.
    """
    return await _answered(call, body.reading())


async def _answered(call: Call, reading: Reading) -> Response:
    by_nik = reading.scheme is NIK
    asked = reading.identifier
    query = {"by": "nik"} if by_nik else {"by": "legacy-id", "identifiers": [_said(reading)]}
    return await call.disclose(
        wanting,
        1,
        rendering(reading, call.language),
        query,
        expand=expanding(reading),
        subjects=(asked.value,) if by_nik and asked else (),
    )


def _said(reading: Reading) -> list[str]:
    return list(reading.identifier or (reading.scheme.name, reading.written))
