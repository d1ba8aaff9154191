"""DTKS-era members and code values, mapped from the variables of DTSEN; `data/dtks.yaml` has all.

One declarative mapping: the answers, their schema and the published table are made from it. What
has no DTKS-era equal becomes null, and what DTSEN lacks is named as absent; nothing is invented.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import yaml

from schemas.variables import CATALOGUE, Variable

Shape: TypeAlias = Literal["keluarga", "art"]
SHAPES: tuple[Shape, ...] = ("keluarga", "art")
KNOWN: frozenset[str] = frozenset({"@nuk", "@id_dtks", "@id_art_dtks", "@record", "@link"})
"""What the service itself knows of somebody beside the variables."""


@dataclass(frozen=True, slots=True)
class Member:
    """One DTKS-era member: what it is made from, and how its value is turned.

    `origin`: a qualified variable, or a name of `KNOWN`. `part`: characters that are kept.
    """

    name: str
    origin: str
    source: str
    codes: Mapping[str, str] | None = None
    part: tuple[int, int] | None = None

    @property
    def variable(self) -> Variable | None:
        """The variable that it is made from, if it is made from one."""
        return CATALOGUE.get(self.origin)

    def turned(self, value: object) -> object:
        """The DTKS-era value of a DTSEN value; null for unknown and for what has no equal."""
        if value is None:
            return None
        if self.codes is not None:
            return self.codes.get(str(value))
        if self.part is not None:
            return str(value)[slice(*self.part)] or None
        return value


@dataclass(frozen=True, slots=True)
class Mapped:
    """The whole mapping."""

    deprecated: date
    sources: Mapping[str, str]
    shapes: Mapping[Shape, Sequence[Member]]
    absent: Sequence[tuple[Sequence[str], str]]


@cache
def dtks() -> Mapped:
    """Read the packaged mapping, which ships with the code and never changes while it runs."""
    said = yaml.safe_load(files("schemas").joinpath("data/dtks.yaml").read_text("utf-8"))
    codes = {name: MappingProxyType(values) for name, values in said["codes"].items()}
    return Mapped(
        said["deprecated"],
        MappingProxyType(said["sources"]),
        MappingProxyType(
            {shape: tuple(_member(one, codes) for one in said[shape]) for shape in SHAPES}
        ),
        tuple((tuple(one["names"]), one["why"]) for one in said["absent"]),
    )


def variables() -> frozenset[str]:
    """Every variable that some member is made from."""
    return frozenset(
        one.origin for shape in SHAPES for one in dtks().shapes[shape] if one.variable is not None
    )


def members_schema(shape: Shape) -> dict[str, Any]:
    """The members of one shape as JSON Schema; a member that is not opened is absent."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {one.name: _schema(one) for one in dtks().shapes[shape]},
    }


def _member(said: Mapping[str, Any], codes: Mapping[str, Mapping[str, str]]) -> Member:
    part = said.get("part")
    return Member(
        said["name"],
        said["from"],
        said["source"],
        codes[said["codes"]] if "codes" in said else None,
        (part[0], part[1]) if part else None,
    )


def _schema(member: Member) -> dict[str, Any]:
    told = {"description": f"`{member.origin}`"}
    if member.codes is not None:
        values = list(dict.fromkeys(member.codes.values()))
        return {**told, "type": ["string", "null"], "maxLength": 20, "enum": [*values, None]}
    variable = member.variable
    if member.origin == "@nuk":
        return {**told, "type": "integer", "minimum": 1, "maximum": 1000}
    if variable is not None and variable.kind == "integer":
        return {**told, "type": ["integer", "null"], "minimum": 0, "maximum": 2_147_483_647}
    longest = 18 if variable is None else variable.length or 500
    return {**told, "type": ["string", "null"], "maxLength": longest}


_INTRODUCTION = """\
# Anggota data DTKS dan asalnya / DTKS-era members and what they are made from

Dibuat dari `schemas/data/dtks.yaml`; jangan disunting di sini.
Made from `schemas/data/dtks.yaml`; do not edit here.

Nilai kosong (`null`): tidak diketahui, atau kode DTSEN itu tidak punya padanan di DTKS; kode baru
pun menjadi kosong, tidak pernah ditebak. Anggota yang tidak dibuka perjanjian tidak ada.
Null: unknown, or a code without a DTKS-era equal; new codes become null too, never a guess. A
member that your agreement does not open is absent.
"""


def members_page() -> str:
    """Write `docs/agencies/dtks-members.md`: every member, its source, and what is absent."""
    return "\n".join([_INTRODUCTION, *_tables(), *_missing(), *_sources()]) + "\n"


def _tables() -> Iterator[str]:
    for shape in SHAPES:
        yield f"## `{shape}`\n"
        yield "| Anggota / Member | Dari / From | Kode / Codes (DTSEN: DTKS) | Sumber / Source |"
        yield "| --- | --- | --- | --- |"
        for one in dtks().shapes[shape]:
            codes = ", ".join(f"{old}: {new}" for old, new in (one.codes or {}).items())
            kept = f"angka ke-{one.part[0] + 1} sampai {one.part[1]}" if one.part else codes
            yield f"| `{one.name}` | `{one.origin}` | {kept} | {one.source} |"
        yield ""


def _missing() -> Iterator[str]:
    yield "## Tidak ada di DTSEN / Absent\n"
    yield "| Anggota / Members | Mengapa / Why |"
    yield "| --- | --- |"
    for names, why in dtks().absent:
        yield f"| {', '.join(f'`{name}`' for name in names)} | {why} |"
    yield ""


def _sources() -> Iterator[str]:
    yield "## Sumber / Sources\n"
    yield from (f"- `{name}`: {text}." for name, text in dtks().sources.items())
