"""The catalogue: the 100 official DTSEN variables, each described once.

52 variables of the family set (`keluarga`, key `nomor_kartu_keluarga`) and 48 of the member set
(`anggota`, key `nomor_induk_kependudukan`); three names stand in both, so 97 are distinct. Release
tables, answers, OpenAPI, the dictionary and its page all come from here: a new variable is one line
of `data/variables.csv`.

Names, types and sensitivity are those of metadata v3/2026 as delivered, and of the provincial
catalogue of October 2026 (open, quasi-identifier, personal). One class is ours: health and
disability are `specific` personal data under UU PDP 27/2022 art. 4 and stand above `personal`,
although the provincial catalogue calls them open.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

from schemas.codes import METADATA_VERSIONS, check_metadata_version
from schemas.wilayah import System

Unit: TypeAlias = Literal["keluarga", "anggota"]
Kind: TypeAlias = Literal[
    "nik",
    "kk",
    "text",
    "code",
    "yes_no",
    "integer",
    "decile",
    "date",
    "wilayah",
]
Sensitivity: TypeAlias = Literal["open", "quasi", "personal", "specific"]
Level: TypeAlias = Literal["L2", "L3", "L4"]
Group: TypeAlias = Literal[
    "identity",
    "address",
    "welfare",
    "dwelling",
    "assets",
    "education",
    "work",
    "health",
]

GROUPS: tuple[Group, ...] = (
    "identity",
    "address",
    "welfare",
    "dwelling",
    "assets",
    "education",
    "work",
    "health",
)

LEVELS: Mapping[Sensitivity, Level] = MappingProxyType(
    {"open": "L2", "quasi": "L3", "personal": "L4", "specific": "L4"},
)
"""Access level of the sharing practice that each sensitivity class asks for."""

_HEALTH_WEIGHT = 5


class UnknownVariable(LookupError):
    """No variable of the catalogue has this name."""


class AmbiguousVariable(LookupError):
    """The bare name stands in both sets; it has to be written `keluarga.X` or `anggota.X`."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One official variable.

    `codes` names its code list. `length` is the longest value in characters, for an integer in
    digits, or None where the codebook gives none. `since` is the first metadata version known to
    have it. `id` and `en` describe it for people.
    """

    unit: Unit
    name: str
    kind: Kind
    codes: str | None
    length: int | None
    sensitivity: Sensitivity
    group: Group
    since: str
    id: str
    en: str

    @property
    def qualified(self) -> str:
        """Give the name that is unique over both sets: `keluarga.NAME` or `anggota.NAME`."""
        return f"{self.unit}.{self.name}"

    @property
    def level(self) -> Level:
        """Give the lowest access level (L2, L3, L4) at which the variable may be shared."""
        return LEVELS[self.sensitivity]

    @property
    def code_system(self) -> System | None:
        """Give the system of a region code: domicile is written in BPS codes, KTP in Kemendagri."""
        if self.kind != "wilayah":
            return None
        return "bps" if self.unit == "keluarga" else "kemendagri"

    @property
    def weight(self) -> int:
        """Give how many people one disclosure of it counts for in a budget of people."""
        return _HEALTH_WEIGHT if self.group == "health" else 1


def _read() -> Mapping[str, Variable]:
    """Read the packaged catalogue, which ships with the code and never changes while it runs."""
    lines = files("schemas").joinpath("data/variables.csv").read_text("utf-8").splitlines()
    read = (
        Variable(
            unit=cast("Unit", line["unit"]),
            name=line["name"],
            kind=cast("Kind", line["kind"]),
            codes=line["codes"] or None,
            length=int(line["length"]) if line["length"] else None,
            sensitivity=cast("Sensitivity", line["sensitivity"]),
            group=cast("Group", line["group"]),
            since=line["since"],
            id=line["id"],
            en=line["en"],
        )
        for line in csv.DictReader(lines)
    )
    return MappingProxyType({variable.qualified: variable for variable in read})


CATALOGUE: Mapping[str, Variable] = _read()
"""Every variable by qualified name, in the official order: the family set, then the member set."""


@cache
def variables(unit: Unit, metadata_version: str = METADATA_VERSIONS[-1]) -> tuple[Variable, ...]:
    """Give the variables of one set that a metadata version has, in the official order.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
    """
    newest = check_metadata_version(metadata_version)
    return tuple(
        variable
        for variable in CATALOGUE.values()
        if variable.unit == unit and check_metadata_version(variable.since) <= newest
    )


def find(name: str) -> Variable:
    """Give the variable of a qualified name, or of a bare one where it is unique.

    Raises:
        UnknownVariable: nothing has this name.
        AmbiguousVariable: the bare name stands in both sets.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    family, member = CATALOGUE.get(f"keluarga.{name}"), CATALOGUE.get(f"anggota.{name}")
    if family is not None and member is not None:
        raise AmbiguousVariable(name)
    found = family if family is not None else member
    if found is None:
        raise UnknownVariable(name)
    return found
