"""Region codes of Indonesia in both systems, Kemendagri (administrative) and BPS (statistical).

A bare code is ambiguous (91 is Papua to Kemendagri and Papua Barat to BPS), so a code never travels
without its system here. DTSEN writes where a family lives in BPS codes; NIK and identity cards
carry Kemendagri codes.

The level follows from the number of digits: 2, 4, 6 and 10 to Kemendagri, which also writes them
with dots (33.74.01.1001), and 2, 4, 7 and 10 to BPS. The data (`data/wilayah.csv`, with each code's
source; `data/NOTICE` has their licence, ODbL) hold the 38 provinces and 514 regencies and cities of
both. Districts and villages are absent: no source at hand gives BPS codes or a bridge for them, and
what no source supports is not guessed. Names are Kemendagri's, for both systems.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import itemgetter
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

System: TypeAlias = Literal["kemendagri", "bps"]
Level: TypeAlias = Literal["provinsi", "kabupaten_kota", "kecamatan", "kelurahan_desa"]

SYSTEMS: tuple[System, ...] = get_args(System)

BPS_PATTERN = r"^[1-9][0-9]([0-9]{2}([0-9]{3}([0-9]{3})?)?)?$"
KEMENDAGRI_PATTERN = (
    r"^[1-9][0-9](\.?[0-9]{2}(\.?[0-9]{2}(\.?[0-9]{4})?)?)?$"  # dots between levels are optional
)
_PATTERNS: Mapping[System, re.Pattern[str]] = MappingProxyType(
    {"bps": re.compile(BPS_PATTERN), "kemendagri": re.compile(KEMENDAGRI_PATTERN)},
)
_LEVELS: Mapping[System, Mapping[int, Level]] = MappingProxyType(
    {
        "kemendagri": {2: "provinsi", 4: "kabupaten_kota", 6: "kecamatan", 10: "kelurahan_desa"},
        "bps": {2: "provinsi", 4: "kabupaten_kota", 7: "kecamatan", 10: "kelurahan_desa"},
    },
)
_REGENCY_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Region:
    """A region as one system names it; `code` without dots, `source` a key of `data/NOTICE`."""

    system: System
    code: str
    level: Level
    name: str
    source: str


def plain(system: System, code: str) -> str | None:
    """Give a code without dots, or None if it is not well-formed in its system."""
    return code.replace(".", "") if _PATTERNS[system].fullmatch(code) else None


def level(system: System, code: str) -> Level | None:
    """Give the level that the length of a code says, or None if it is not well-formed."""
    bare = plain(system, code)
    return None if bare is None else _LEVELS[system][len(bare)]


def find(system: System, code: str) -> Region | None:
    """Give a province, regency or city by its code; None if it is unknown or deeper."""
    bare = plain(system, code)
    return None if bare is None else _regions()[system].get(bare)


def convert(code: str, from_system: System, to_system: System) -> str | None:
    """Give the same region's code in the other system, without dots.

    None where the code is malformed, unknown, or of a level for which no source has a bridge.
    Within one system a well-formed code of a known regency is given back at any level.
    """
    bare = plain(from_system, code)
    if bare is None:
        return None
    if from_system == to_system:
        return bare if find(from_system, bare[:_REGENCY_DIGITS]) else None
    return _bridge()[from_system].get(bare)


def regions(system: System) -> tuple[Region, ...]:
    """Give every known region of a system, by code."""
    return tuple(_regions()[system].values())


@cache
def _regions() -> Mapping[System, Mapping[str, Region]]:
    """Index the packaged data by system and code."""
    found: dict[System, dict[str, Region]] = {}
    for system in SYSTEMS:
        codes = _LEVELS[system]
        found[system] = {
            row[system]: Region(
                system,
                row[system],
                codes[len(row[system])],
                row["name"],
                row[f"{system}_source"],
            )
            for row in sorted(_rows(), key=itemgetter(system))
        }
    return MappingProxyType(found)


@cache
def _bridge() -> Mapping[System, Mapping[str, str]]:
    """Index the packaged data from each system's codes to the other's."""
    return MappingProxyType(
        {
            "kemendagri": {row["kemendagri"]: row["bps"] for row in _rows()},
            "bps": {row["bps"]: row["kemendagri"] for row in _rows()},
        },
    )


@cache
def _rows() -> tuple[dict[str, str], ...]:
    """Read the packaged data, which ship with the code and never change while it runs."""
    text = files("schemas").joinpath("data/wilayah.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))
