"""Parts of requests that several operations share."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor

from schemas.variables import CATALOGUE, Variable

LONGEST_ID = 100


def spellings(qualified: Iterable[str] = CATALOGUE) -> list[str]:
    """Every name of these variables that `fields` knows: qualified, and bare where unique."""
    of_bare: dict[str, list[Variable]] = {}
    for variable in CATALOGUE.values():
        of_bare.setdefault(variable.name, []).append(variable)
    names = list(qualified)
    bare = (CATALOGUE[name].name for name in names)
    return [*names, *(name for name in bare if len(of_bare[name]) == 1)]


FIELD_NAME: dict[str, Any] = {
    "type": "string",
    "description": "A variable: its qualified name, or its bare name where that is unique.",
    "maxLength": 80,
    "enum": spellings(),
}
FieldName = Annotated[
    str,
    Field(min_length=1, max_length=80),
    WithJsonSchema({"$ref": "#/components/schemas/FieldName"}),
]
Fields = Annotated[list[FieldName], Field(max_length=100)]
"""Names of variables: `keluarga.NAME`, `anggota.NAME`, or the bare name where it is unique."""

_RELEASE_ID = "[0-9]{4}-Q[1-4]"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
AsOf = Annotated[
    str,
    Field(pattern=f"^({_RELEASE_ID}|{_DAY})$"),
    WithJsonSchema(
        {
            "description": "A release id, or a date: what was active at the end of that day (WIB).",
            "anyOf": [
                {"type": "string", "maxLength": 7, "pattern": f"^{_RELEASE_ID}$"},
                {"type": "string", "maxLength": 10, "pattern": f"^{_DAY}$", "format": "date"},
            ],
        }
    ),
]
"""A release id, or a date: the release active at the end of that day (WIB)."""

SubjectId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_ID,
        pattern=f"^[A-Za-z0-9_-]{{1,{LONGEST_ID}}}$",
        description="Your agency's own opaque id, as an answer gave it.",
    ),
]
"""An agency's own opaque id of a person or family. Any other text is the 404 of an absent one."""


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Marks a whole number, so that `39.0` is one too (JSON Schema 2020-12 core, section 4.2.3)."""


class SubjectIdConvertor(Convertor[str]):
    """What may stand for an id in a path: anything but the names of operations beside it.

    Without this `GET /v1/individuals/lookup` would ask for a person, and not be a wrong method.
    """

    regex = "(?!(?:lookup|batch-lookup|history|match|find|status|translate)$)[^/]+"

    def convert(self, value: str) -> str:
        """The id as it stands."""
        return value

    def to_string(self, value: str) -> str:
        """The id as it stands."""
        return value


register_url_convertor("subject_id", SubjectIdConvertor())
