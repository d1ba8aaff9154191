"""Examples of the whole document, cut to what one operation opens.

A value that the agreement masks is replaced by the mask's own example, of nobody: masks are SQL,
and no other code masks anything.
"""

from collections.abc import Collection, Iterator
from typing import Any

from jsonschema import Draft202012Validator

from schemas.answers import Opened
from schemas.masks import MASKS
from schemas.variables import Variable


def fitted(example: Any, schema: Any, schemas: dict[str, Any], opened: Opened) -> Any:  # noqa: ANN401 - any JSON value
    """An example of the narrowed shape, or None where the whole one's cannot be cut to it."""
    masked = {each: _mask(forms) for each, forms in opened.items()}
    made = _cut(example, opened, {each: mask for each, mask in masked.items() if mask})
    whole = {**schema, "components": {"schemas": schemas}}
    return made if Draft202012Validator(whole).is_valid(made) else None


def _mask(forms: Collection[str | None] | None) -> str | None:
    """The mask under which a variable is always opened, the first where purposes differ."""
    if forms is None or None in forms:
        return None
    return next(name for name in MASKS if name in forms)


def _cut(value: Any, opened: Opened, masked: dict[Variable, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_cut(each, opened, masked) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _cut(member, opened, masked) for name, member in value.items()}
    if "individual" in made:
        made["individual"] = _members(made["individual"], "anggota", opened, masked)
    if isinstance(made.get("keluarga"), dict):
        made["keluarga"] = _members(made["keluarga"], "keluarga", opened, masked)
    if isinstance(made.get("family"), dict) and "members" in made["family"]:
        made["family"] = _members(made["family"], "keluarga", opened, masked)
        members = made["family"]["members"]
        made["family"]["members"] = [_members(m, "anggota", opened, masked) for m in members]
    if "withheld" in made and ("individual" in made or "family" in made):
        shown = {*_shown(made)}
        made["withheld"] = [
            {"field": each.qualified, "reason": "mask"}
            for each in masked
            if each.qualified in shown
        ]
    if isinstance(made.get("fields"), list):
        names = {name for each in opened for name in (each.name, each.qualified)}
        made["fields"] = [name for name in made["fields"] if name in names]
    for name, variable in _OPTIONAL.items():
        if "evidence" in made and name in made and not _plain(variable, opened):
            del made[name]
    return made


_OPTIONAL = {
    "nik": "anggota.nomor_induk_kependudukan",
    "nomor_kartu_keluarga": "keluarga.nomor_kartu_keluarga",
}


def _plain(name: str, opened: Opened) -> bool:
    return any(
        each.qualified == name and None in (forms or (None,)) for each, forms in opened.items()
    )


_ENVELOPE = frozenset({"id", "status", "keluarga", "members", "withheld"})


def _members(
    value: dict[str, Any], unit: str, opened: Opened, masked: dict[Variable, str]
) -> dict[str, Any]:
    """The opened members of a person or family, masked where the agreement masks them."""
    of_unit = {each.name: each for each in opened if each.unit == unit}
    kept = {}
    for name, member in value.items():
        if name in _ENVELOPE:
            kept[name] = member
        elif name in of_unit:
            mask = masked.get(of_unit[name])
            kept[name] = member if mask is None or member is None else MASKS[mask].example
    return kept


def _shown(made: dict[str, Any]) -> Iterator[str]:
    person, family = made.get("individual") or {}, made.get("family") or {}
    for of_family in (person.get("keluarga") or {}, family):
        yield from (f"keluarga.{name}" for name in of_family)
    for member in (person, *family.get("members", ())):
        yield from (f"anggota.{name}" for name in member)
