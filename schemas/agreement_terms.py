"""The words and values that an agreement is written with, and the rules all its parts share."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas.masks import MASKS
from schemas.scopes import OPERATIONS
from schemas.selection import named, selector_names, variable_names
from schemas.variables import AmbiguousVariable, UnknownVariable, find

MOST = 1000
"""Entries of any one list of an agreement."""

Found: TypeAlias = tuple[str, str]
"""A fault inside a part: JSON pointer from the part, and the code."""

_ISO_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_RFC_3339 = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$"


def refusal(faults: Sequence[Found]) -> PydanticCustomError:
    """Make the error that carries faults through pydantic to whoever reads the file."""
    return PydanticCustomError("agreement", "refused", {"faults": list(faults)})


def duplicates(name: str, values: Sequence[object]) -> Iterator[Found]:
    """Find what the list `name` says twice."""
    return (
        (f"/{name}/{place}", "duplicate")
        for place, value in enumerate(values)
        if value in values[:place]
    )


class Part(BaseModel):
    """A part of an agreement: frozen, without unknown members, its own rules in `faults`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def faults(self) -> Iterator[Found]:
        """Find what the members' own types cannot see."""
        yield from ()

    @field_validator("*", mode="before")
    @classmethod
    def _filled(cls, value: object) -> object:
        """Refuse a member written without content: it must not pass for one that is absent."""
        if value is None:
            raise refusal([("", "empty")])
        return value

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what is absent, so that an agreement written out can be read again."""
        members: dict[str, object] = handler(self)
        return {name: value for name, value in members.items() if value is not None}

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if found := list(self.faults()):
            raise refusal(found)
        return self


def _day(value: object) -> object:
    """Take a date, or one written YYYY-MM-DD; a number or an instant is none."""
    if isinstance(value, str) and re.fullmatch(_ISO_DATE, value):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    if type(value) is date:
        return value
    raise refusal([("", "not-a-date")])


def _instant(value: object) -> object:
    """Take an instant with its offset from UTC, written as RFC 3339 wants it."""
    if isinstance(value, str) and re.fullmatch(_RFC_3339, value):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise refusal([("", "not-an-instant")])


def _listed(values: Sequence[str], code: str) -> AfterValidator:
    """Accept the given words alone."""

    def check(written: str) -> str:
        if written not in values:
            raise refusal([("", code)])
        return written

    return AfterValidator(check)


def _selector(written: str) -> str:
    """Accept a variable, group or level, and say what is wrong with any other name."""
    try:
        named(written)
    except AmbiguousVariable:
        raise refusal([("", "ambiguous-variable")]) from None
    except UnknownVariable:
        raise refusal([("", "unknown-variable")]) from None
    return written


def _single_variable(written: str) -> str:
    """Accept the name of one variable."""
    _selector(written)
    try:
        find(written)
    except UnknownVariable:
        raise refusal([("", "unknown-variable")]) from None
    return written


def _enum(values: Sequence[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(values)})


Line: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
"""A line of text."""

Value: TypeAlias = Annotated[str, Field(min_length=1, max_length=10)]
"""A value of a coded variable, as the codebook writes it."""

Code: TypeAlias = Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""The code of an agency or the id of a client."""

Number: TypeAlias = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9][A-Za-z0-9./-]*$", max_length=64),
]
"""The number of an agreement or an impact assessment, as on its paper."""

Email: TypeAlias = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]

Day: TypeAlias = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _ISO_DATE}),
]
"""A calendar day (WIB)."""

Instant: TypeAlias = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _RFC_3339}),
]
"""An instant with its offset, to the second."""

Count: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=2_000_000_000)]
Decile: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=10)]

PurposeCode: TypeAlias = Annotated[
    str,
    Field(pattern="^[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=64),
]

OperationName: TypeAlias = Annotated[
    str,
    _listed(tuple(OPERATIONS), "unknown-operation"),
    _enum(tuple(OPERATIONS)),
]
Selector: TypeAlias = Annotated[str, AfterValidator(_selector), _enum(selector_names())]
"""Whatever `schemas.selection` takes for a name of variables."""

VariableName: TypeAlias = Annotated[str, AfterValidator(_single_variable), _enum(variable_names())]
MaskName: TypeAlias = Annotated[str, _listed(tuple(MASKS), "unknown-mask"), _enum(tuple(MASKS))]

Retention: TypeAlias = Annotated[
    str,
    Field(
        pattern="^P([1-9][0-9]{0,3}Y([1-9][0-9]?M)?([1-9][0-9]{0,2}D)?"
        "|[1-9][0-9]{0,3}M([1-9][0-9]{0,2}D)?|[1-9][0-9]{0,3}[DW])$",
        max_length=16,
    ),
]
"""How long the agency may keep what it got: an ISO 8601 duration in years, months, weeks, days."""
