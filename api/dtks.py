"""The DTKS-shaped service for programs of those days, on its way out: plain JSON in one order."""

import re
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema
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

_ANY = r"^[^\u0000-\u001f]+$"
_NOT_ALL_ZEROS = r"^(?!0+$)[^\u0000-\u001f]+$"


def _as_written(pattern: str) -> AfterValidator:
    expression = re.compile(pattern)

    def check(written: str) -> str:
        if not 0 < len(written) <= LONGEST_VALUE or expression.fullmatch(written) is None:
            raise PydanticCustomError("malformed", "not of the required form")
        return written

    return AfterValidator(check)


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_VALUE,
            "pattern": pattern,
            "description": "As your records have it: spaces, dots and dashes are read away.",
        }
    )


Written = Annotated[str, _as_written(_ANY), _schema(_ANY)]
WrittenNik = Annotated[str, _as_written(_NOT_ALL_ZEROS), _schema(_NOT_ALL_ZEROS)]


class HouseholdSearch(BaseModel):
    """The id of a household; a wrong form is an answer, not an error."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id_dtks: Written


class MemberSearch(BaseModel):
    """The id of a member, or a NIK: exactly one of the two."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    id_art: Written | SkipJsonSchema[None] = None
    nik: WrittenNik | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or (self.id_art is None and self.nik is None):
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
    response = await call.disclose(
        wanting,
        1,
        rendering(reading, call.language),
        query,
        expand=expanding(reading),
        subjects=(asked.value,) if by_nik and asked else (),
    )
    call.parts.usage.note(call.mandate, "dtks", (asked,) if asked and not by_nik else ())
    return response


def _said(reading: Reading) -> list[str]:
    return list(reading.identifier or (reading.scheme.name, reading.written))
