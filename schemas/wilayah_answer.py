"""Region codes as they are told: both systems, what a code may stand for, what it was before.

Nothing is picked: a bare code that stands for several regions, of two systems or of two times, is
answered with all of them and called ambiguous.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas import wilayah
from schemas.codes import METADATA_VERSIONS
from schemas.wilayah import BPS_PATTERN, SYSTEMS, Region, System
from schemas.wilayah_history import former_codes, named_before, split

MOST_REGIONS = 600
LONGEST_CODE = 13
CODE_PATTERN = "^[0-9][0-9.]{1,12}$"

_PROVINCE, _REGENCY, _VILLAGE = 2, 4, 10
_KINDS_OF_VILLAGE = "123"


@dataclass(frozen=True, slots=True)
class Match:
    """One reading of a code: of which system, of now or before, of the region or a part of it."""

    region: Region
    system: System
    status: Literal["current", "former"]
    exact: bool


def answer(code: str | None, system: System | None, within: str | None) -> dict[str, Any]:
    """Tell regions: those that a code may stand for, or those within another, or all provinces."""
    systems = SYSTEMS if system is None else (system,)
    if code is not None:
        matches = [found for each in systems for found in _matches(each, code)]
        if within is not None:
            wider = {_key(found.region) for each in systems for found in _inside(each, within)}
            matches = [one for one in matches if _key(one.region) in wider]
        told = _matched(matches)
        parents = set()
    elif within is not None:
        found = {_key(region): region for each in systems for region in _children(each, within)}
        parents = {_key(one.region) for each in systems for one in _matches(each, within)}
        told = [_told(region) for _, region in sorted(found.items())]
    else:
        told = [_told(region) for region in wilayah.regions("kemendagri") if _is_province(region)]
        parents = set()
    several = len(parents) > 1 or (code is not None and len(told) > 1)
    return {
        "metadata_version": METADATA_VERSIONS[-1],
        "deepest_level": "kabupaten_kota",
        "ambiguous": several,
        "regions": told[:MOST_REGIONS],
    }


def _matches(system: System, code: str) -> Iterator[Match]:
    """Every region that a code may stand for in one system; a deeper code by its regency."""
    bare = wilayah.plain(system, code)
    if bare is None or not _possible(system, bare):
        return
    exact = len(bare) <= _REGENCY
    start = bare[:_REGENCY]
    region = wilayah.find(system, start)
    if region is not None:
        yield Match(region, system, "current", exact)
    for former in named_before(system, start):
        now = wilayah.find(system, former.code)
        if now is not None:
            yield Match(now, system, "former", exact)


def _possible(system: System, bare: str) -> bool:
    """A village's four digits begin with its kind in Kemendagri's system: 1, 2 or 3."""
    deep = system == "kemendagri" and len(bare) == _VILLAGE
    return not deep or bare[6] in _KINDS_OF_VILLAGE


def _inside(system: System, within: str) -> Iterator[Match]:
    """The region that a code names, and all in it."""
    for match in _matches(system, within):
        yield match
        for region in wilayah.regions(system):
            if region.code.startswith(match.region.code):
                yield Match(region, system, "current", exact=True)


def _children(system: System, within: str) -> Iterator[Region]:
    provinces = {one.region.code for one in _matches(system, within) if _is_province(one.region)}
    for region in wilayah.regions(system):
        if not _is_province(region) and region.code[:_PROVINCE] in provinces:
            yield region


def _matched(matches: list[Match]) -> list[dict[str, Any]]:
    of_region: dict[str, list[Match]] = {}
    for match in matches:
        of_region.setdefault(_key(match.region), []).append(match)
    return [
        _told(same[0].region)
        | {
            "matched": [
                {"system": one.system, "status": one.status, "exact": one.exact} for one in same
            ]
        }
        for _, same in sorted(of_region.items())
    ]


def _told(region: Region) -> dict[str, Any]:
    codes = _codes(region)
    told: dict[str, Any] = {"level": region.level, "name": region.name, **codes}
    told["split"] = _told_split(codes["kemendagri"]["code"])
    told["former"] = [
        {"system": one.system, "code": one.former, "seen": one.seen, "source": one.source}
        for system in SYSTEMS
        for one in former_codes(system, codes[system]["code"])
    ]
    return told


def _told_split(kemendagri: str) -> dict[str, Any] | None:
    found = split(kemendagri)
    parent = wilayah.find("kemendagri", found.parent) if found else None
    if found is None or parent is None:
        return None
    return {"from": {"name": parent.name, **_codes(parent)}, "since": found.since, "law": found.law}


def _codes(region: Region) -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for system in SYSTEMS:
        code = wilayah.convert(region.code, region.system, system)
        same = wilayah.find(system, code) if code else None
        if same is not None:
            told[system] = {"code": same.code, "source": same.source}
    return told


def _key(region: Region) -> str:
    """The region's code in Kemendagri's system, whichever it was found by."""
    return wilayah.convert(region.code, region.system, "kemendagri") or ""


def _is_province(region: Region) -> bool:
    return len(region.code) == _PROVINCE


def _object(properties: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


_SOURCE = {"type": "string", "maxLength": 40, "description": "A key of `schemas/data/NOTICE`."}
_CODE = {"type": "string", "maxLength": 4, "pattern": BPS_PATTERN}
_SYSTEM = {"type": "string", "enum": list(SYSTEMS)}
_NAME = {"type": "string", "maxLength": 100}
_IN_SYSTEM = _object({"code": _CODE, "source": _SOURCE})
_SPLIT = _object(
    {
        "from": _object({"name": _NAME, **dict.fromkeys(SYSTEMS, _IN_SYSTEM)}),
        "since": {"type": "string", "format": "date", "maxLength": 10},
        "law": {"type": "string", "maxLength": 40},
    }
)
_REGION = _object(
    {
        "level": {"type": "string", "enum": ["provinsi", "kabupaten_kota"]},
        "name": _NAME,
        **dict.fromkeys(SYSTEMS, _IN_SYSTEM),
        "split": {**_SPLIT, "type": ["object", "null"]},
        "former": {
            "type": "array",
            "maxItems": 10,
            "items": _object(
                {
                    "system": _SYSTEM,
                    "code": _CODE,
                    "seen": {"type": "string", "maxLength": 4, "pattern": "^[0-9]{4}$"},
                    "source": _SOURCE,
                }
            ),
        },
        "matched": {
            "type": "array",
            "maxItems": 4,
            "items": _object(
                {
                    "system": _SYSTEM,
                    "status": {"type": "string", "enum": ["current", "former"]},
                    "exact": {"type": "boolean"},
                }
            ),
        },
    },
    "matched",
)
WILAYAH_SCHEMA: dict[str, Any] = _object(
    {
        "metadata_version": {"type": "string", "maxLength": 20},
        "deepest_level": {"type": "string", "enum": ["kabupaten_kota"]},
        "ambiguous": {"type": "boolean"},
        "regions": {"type": "array", "maxItems": MOST_REGIONS, "items": _REGION},
    }
)
"""The answer to `GET /v1/wilayah`."""
