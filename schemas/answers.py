"""The shapes of answers about people and families, as JSON Schema 2020-12 (OpenAPI 3.1).

Contract, section 4: "One person", "Batch", "Family". Variables come from the catalogue, so that an
answer can hold exactly what the catalogue names; every string and array has its bound. Members that
an answer may lack (not opened, not asked for, withheld) are not required. Nothing here knows HTTP.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from schemas.codes import YES_NO_VALUES, code_list
from schemas.identifiers import KK_PATTERN, NIK_PATTERN
from schemas.masks import MASKS
from schemas.variables import CATALOGUE, Variable
from schemas.wilayah import BPS_PATTERN

Schema: TypeAlias = dict[str, Any]

LONGEST_BATCH = 1000
"""People of one batch."""

LARGEST_FAMILY = 500
"""Members of one family that an answer can list."""

_LARGEST_INTEGER = 2_147_483_647  # as PostgreSQL's integer
Opened: TypeAlias = Mapping[Variable, Collection[str | None] | None]
"""Variables that an answer may hold, each with the forms it is opened in (None: any)."""

_EVERY: Opened = dict.fromkeys(CATALOGUE.values())

RELEASE: Schema = {
    "type": "string",
    "maxLength": 32,
    "description": "Release that the answer was read from.",
    "examples": ["2026-Q3"],
}
OPAQUE_ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "The agency's own id of the person or family; means nothing to others.",
}
STATUS: Schema = {
    "type": "object",
    "description": "What the registry says of the record itself.",
    "additionalProperties": False,
    "required": ["record", "update"],
    "properties": {
        "record": {"type": "string", "enum": ["active", "deceased", "inactive"]},
        "restriction": {
            "type": "string",
            "enum": ["correction"],
            "description": "Present while a correction is in progress.",
        },
        "update": {
            "type": ["object", "null"],
            "description": "Where an update of the data stands; null if none is known.",
            "additionalProperties": False,
            "required": ["state"],
            "properties": {
                "state": {
                    "type": "string",
                    "enum": [
                        "proposed",
                        "waiting_population_data",
                        "in_verification",
                        "in_validation",
                        "determined",
                        "rejected",
                    ],
                },
                "hold": {
                    "type": "string",
                    "enum": [
                        "population_data_differs",
                        "addresses_disagree",
                        "family_change_unrecorded",
                        "waiting_field_check",
                    ],
                },
                "since": {"type": "string", "format": "date", "maxLength": 10},
            },
        },
    },
}
WITHHELD: Schema = {
    "type": "array",
    "description": "Variables that the agreement opens but the answer gives masked or not at all.",
    "maxItems": len(_EVERY),
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["field", "reason"],
        "properties": {
            "field": {"type": "string", "enum": list(CATALOGUE)},
            "reason": {"type": "string", "enum": ["mask", "restricted"]},
        },
    },
}


def variable_schema(variable: Variable, forms: Collection[str | None] | None = None) -> Schema:
    """Describe a variable's value: the registry's (form None), masked, or null for unknown.

    `forms` are those in which it is opened, masks by name; any that is possible unless given.
    """
    if forms is None:
        forms = (None, *(name for name, mask in MASKS.items() if mask.applies_to(variable)))
    chosen = [dict(MASKS[name].values) for name in MASKS if name in forms]
    if None in forms:
        chosen.insert(0, _value_schema(variable))
    chosen[0] = _nullable(chosen[0])
    described = {"description": f"{variable.id}. {variable.en}."}
    return {**described, **(chosen[0] if len(chosen) == 1 else {"anyOf": chosen})}


def _nullable(schema: Schema) -> Schema:
    """Let a schema of one type accept null as well."""
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _value_schema(variable: Variable) -> Schema:
    """Describe the registry's own value of a variable that is not null."""
    match variable.kind:
        case "integer":
            most = _LARGEST_INTEGER if variable.length is None else 10**variable.length - 1
            return {"type": "integer", "minimum": 0, "maximum": most}
        case "decile":
            return {"type": "integer", "minimum": 1, "maximum": 10}
        case "yes_no":
            return {"type": "string", "maxLength": variable.length, "enum": list(YES_NO_VALUES)}
        case "date":
            return {"type": "string", "maxLength": variable.length, "format": "date"}
        case "nik" | "kk":
            pattern = NIK_PATTERN if variable.kind == "nik" else KK_PATTERN
            return {"type": "string", "maxLength": variable.length, "pattern": pattern}
        case _:
            return {"type": "string", "maxLength": variable.length, **_annotations(variable)}


def _annotations(variable: Variable) -> Schema:
    """Name what codes stand for, without closing the list: a release may carry new codes."""
    if variable.kind == "wilayah":
        system = variable.code_system
        return {"x-code-system": system, **({"pattern": BPS_PATTERN} if system == "bps" else {})}
    if variable.codes is None:
        return {}
    codes = code_list(variable.codes).codes
    labels = {value: text._asdict() for value, text in codes.items()}
    return {"examples": [next(iter(codes))], "x-codes": labels}


def _object(properties: Schema, required: Iterable[str]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _members(opened: Opened, unit: str) -> Schema:
    return {
        each.name: variable_schema(each, forms)
        for each, forms in opened.items()
        if each.unit == unit
    }


def individual_schema(opened: Opened = _EVERY, *, in_family: bool = False) -> Schema:
    """Describe one person: `anggota` variables flat and, unless `in_family`, `keluarga` below."""
    properties = {"id": OPAQUE_ID, "status": STATUS, **_members(opened, "anggota")}
    if not in_family:
        family = {"id": OPAQUE_ID, **_members(opened, "keluarga")}
        # A person without a KK on record has no family, and a restricted one shows none.
        properties["keluarga"] = {**_object(family, ["id"]), "type": ["object", "null"]}
        return _object(properties, ["id", "status", "keluarga"])
    # Restrictions differ from member to member, so what they withhold stands with the member.
    return _object({**properties, "withheld": WITHHELD}, ["id", "status"])


def family_schema(opened: Opened = _EVERY) -> Schema:
    """Describe one family: `keluarga` variables flat, and its members inside the agreement."""
    members = {
        "type": "array",
        "maxItems": LARGEST_FAMILY,
        "items": individual_schema(opened, in_family=True),
    }
    properties = {"id": OPAQUE_ID, **_members(opened, "keluarga"), "members": members}
    return _object(properties, ["id", "members"])


def person_answer(individual: Schema) -> Schema:
    """Describe the answer to a lookup of one person; `individual` may be a reference."""
    properties = {"release": RELEASE, "individual": individual, "withheld": WITHHELD}
    return _object(properties, properties)


def batch_answer(individual: Schema) -> Schema:
    """Describe the answer to a lookup of many, in the order asked; absent people say so."""
    result = _object(
        {
            "nik": {"type": "string", "maxLength": 16, "pattern": NIK_PATTERN},
            "status": {"type": "string", "enum": ["found", "not_found"]},
            "individual": individual,
            "withheld": WITHHELD,
        },
        ["nik", "status"],
    )
    results = {"type": "array", "maxItems": LONGEST_BATCH, "items": result}
    return _object({"release": RELEASE, "results": results}, ["release", "results"])


def translation_answer() -> Schema:
    """Describe the caller's own ids for another agency's, in the order asked."""
    individual = _object({"id": OPAQUE_ID}, ["id"])
    result = _object(
        {
            "id": {**OPAQUE_ID, "description": "The other agency's id, as it was asked."},
            "status": {"type": "string", "enum": ["found", "not_found"]},
            "individual": individual,
        },
        ["id", "status"],
    )
    results = {"type": "array", "maxItems": LONGEST_BATCH, "items": result}
    return _object({"release": RELEASE, "results": results}, ["release", "results"])


def family_answer(family: Schema) -> Schema:
    """Describe the answer to a lookup of one family; `family` may be a reference."""
    properties = {"release": RELEASE, "family": family, "withheld": WITHHELD}
    return _object(properties, properties)
