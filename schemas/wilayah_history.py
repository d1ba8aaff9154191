"""What region codes were before: former codes of regencies, and the provinces that were split.

As far as the sources go (`data/NOTICE`): the bridge of 2020 and the four laws of 2022 that formed
provinces in Papua. A NIK keeps the code of the day it was issued, so a former code is no error; it
may be the present code of another region, so that a bare code can be ambiguous over time too.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from schemas.wilayah import System


@dataclass(frozen=True, slots=True)
class Former:
    """A code that a region had in one system; `seen`: the year for which `source` gives it."""

    system: System
    former: str
    code: str
    seen: str
    source: str


@dataclass(frozen=True, slots=True)
class Split:
    """How a province came to be: by which law, of which day, out of which one (Kemendagri)."""

    kemendagri: str
    parent: str
    since: str
    law: str


def named_before(system: System, code: str) -> tuple[Former, ...]:
    """Give the regions that a code of one system stood for before; `code` without dots."""
    return _by_former().get((system, code), ())


def former_codes(system: System, code: str) -> tuple[Former, ...]:
    """Give the codes that a region of today had before in one system."""
    return _by_code().get((system, code), ())


def split(kemendagri: str) -> Split | None:
    """Give how a province was formed; None where no source at hand says."""
    return _splits().get(kemendagri)


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("schemas").joinpath(f"data/{name}").read_text("utf-8")
    return csv.DictReader(text.splitlines())


@cache
def _former() -> tuple[Former, ...]:
    return tuple(Former(**row) for row in _rows("wilayah_former.csv"))  # type: ignore[arg-type]  # the file's systems are checked by a test


@cache
def _by_former() -> Mapping[tuple[System, str], tuple[Former, ...]]:
    return _grouped("former")


@cache
def _by_code() -> Mapping[tuple[System, str], tuple[Former, ...]]:
    return _grouped("code")


def _grouped(member: str) -> Mapping[tuple[System, str], tuple[Former, ...]]:
    found: dict[tuple[System, str], tuple[Former, ...]] = {}
    for one in _former():
        key = one.system, str(getattr(one, member))
        found[key] = (*found.get(key, ()), one)
    return MappingProxyType(found)


@cache
def _splits() -> Mapping[str, Split]:
    return MappingProxyType(
        {row["kemendagri"]: Split(**row) for row in _rows("wilayah_splits.csv")}
    )
