"""Shapes of the whole document, narrowed to what one operation opens."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api.inputs import FIELD_NAME, spellings
from dtsen.disclosure.opening import Opening
from schemas.agreement import Agreement
from schemas.answers import STATUS, WITHHELD, Opened, family_schema, individual_schema
from schemas.variables import Variable

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/"
_OPTIONAL_NUMBERS = {
    "nik": "anggota.nomor_induk_kependudukan",
    "nomor_kartu_keluarga": "keluarga.nomor_kartu_keluarga",
}
"""Members of answers that stand only where their variable is opened unmasked."""


def forms(opened: Sequence[Opening]) -> dict[Variable, set[str | None]]:
    """Each variable with the forms in which some purpose opens it; None: as it is."""
    found: dict[Variable, set[str | None]] = {}
    for purpose in opened:
        for variable in purpose.variables:
            found.setdefault(variable, set()).add(purpose.masks.get(variable.qualified))
    return found


def individual(opened: Opened) -> Schema:
    """A person with the opened variables alone."""
    return _parts_referred(individual_schema(opened))


def family(opened: Opened) -> Schema:
    """A family with the opened variables alone."""
    return _parts_referred(family_schema(opened))


def field_name(opened: Opened) -> Schema:
    """The names by which the opened variables can be asked for."""
    names = spellings(variable.qualified for variable in opened)
    return {**FIELD_NAME, "enum": names}


def withheld(opened: Opened) -> Schema:
    """What of the opened variables can be withheld, and for which reasons."""
    schema = {**WITHHELD, "maxItems": len(opened)}
    masked = any(form is not None for of_one in opened.values() for form in of_one or ())
    items = {**WITHHELD["items"]}
    items["properties"] = {
        "field": {"type": "string", "enum": [each.qualified for each in opened]},
        "reason": {"type": "string", "enum": ["mask", "restricted"] if masked else ["restricted"]},
    }
    return {**schema, "items": items}


BY_VARIABLES: Mapping[str, Callable[[Opened], Schema]] = {
    "Individual": individual,
    "Family": family,
    "FieldName": field_name,
    "Withheld": withheld,
}
"""Named shapes that depend on which variables an operation opens."""


def without_closed_numbers(schema: Schema, opened: Opened) -> Schema:
    """An answer's shape without the identity numbers that it could give but may not."""
    plain = {each.qualified for each, of_one in opened.items() if None in (of_one or (None,))}
    closed = {member for member, name in _OPTIONAL_NUMBERS.items() if name not in plain}

    def walk(part: object) -> object:
        if isinstance(part, list):
            return [walk(each) for each in part]
        if not isinstance(part, dict):
            return part
        made: Schema = {name: walk(value) for name, value in part.items()}
        if isinstance(made.get("properties"), dict):
            gone = closed - set(made.get("required", ()))
            made["properties"] = {
                name: value for name, value in made["properties"].items() if name not in gone
            }
        return made

    found = walk(schema)
    return found if isinstance(found, dict) else schema


def problem(schema: Schema, agreement: Agreement | None) -> Schema:
    """Problem details, with the one scope that this agreement's absences name."""
    if agreement is None:
        names = {"release", "scope", "causes", "next_steps"}
        kept = {name: each for name, each in schema["properties"].items() if name not in names}
        return {**schema, "properties": kept}
    scope = "agreement" if agreement.rows is not None else "national"
    only = {"scope": {**schema["properties"]["scope"], "enum": [scope]}}
    return {**schema, "properties": schema["properties"] | only}


def access_record(schema: Schema, *, oversees: bool) -> Schema:
    """A record of the access log without what only auditors are told."""
    if oversees:
        return schema
    kept = {k: v for k, v in schema["properties"].items() if k not in {"reason", "src_ip"}}
    return {**schema, "properties": kept}


def audit_search(schema: Schema, *, agency: str, oversees: bool) -> Schema:
    """A search of the access log, of one's own agency's records unless one oversees all."""
    if oversees:
        return schema
    nullable = schema["properties"]["agency"]["anyOf"]
    own = {"anyOf": [{"type": "string", "enum": [agency]}, *nullable[1:]], "title": "Agency"}
    return {**schema, "properties": schema["properties"] | {"agency": own}}


def _parts_referred(schema: Schema) -> Schema:
    """The shape with references in place of the parts that have names."""

    def walk(part: object) -> object:
        if part == STATUS:
            return {"$ref": f"{REFERENCE}Status"}
        if part == WITHHELD:
            return {"$ref": f"{REFERENCE}Withheld"}
        if isinstance(part, dict):
            return {name: walk(value) for name, value in part.items()}
        return [walk(each) for each in part] if isinstance(part, list) else part

    found = walk(schema)
    return found if isinstance(found, dict) else schema
