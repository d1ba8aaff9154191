"""The data dictionary: the catalogue told to people and machines, made from nothing else.

`dictionary` is the content of GET /v1/dictionary; `variables_page` is `docs/variables.md`.
"""

from collections.abc import Iterator
from typing import Any

from schemas.codes import METADATA_VERSIONS, CodeList, code_lists
from schemas.masks import MASKS
from schemas.variables import Variable, variables

_TEXT = {"type": "string", "maxLength": 2000}
_MAYBE = {"type": ["string", "null"], "maxLength": 200}
_WORDS = {"id": _TEXT, "en": _TEXT}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "maxItems": 1000, "items": items}


DICTIONARY_SCHEMA: dict[str, Any] = _closed(
    {
        "metadata_version": {"type": "string", "maxLength": 20},
        "variables": _array(
            _closed(
                {
                    "name": _TEXT,
                    "kind": _TEXT,
                    "length": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000},
                    "codes": _MAYBE,
                    "code_system": _MAYBE,
                    "group": _TEXT,
                    "sensitivity": _TEXT,
                    "level": _TEXT,
                    "weight": {"type": "integer", "minimum": 1, "maximum": 100},
                    "since": _TEXT,
                    **_WORDS,
                }
            )
        ),
        "code_lists": {
            "type": "object",
            "additionalProperties": _closed(
                {
                    "open": {"type": "boolean"},
                    "codes": _array(_closed({"value": _TEXT, **_WORDS})),
                    "uncoded": _array(_closed(_WORDS)),
                }
            ),
        },
        "masks": _array(_closed({"name": _TEXT, "kinds": _array(_TEXT), **_WORDS})),
    }
)
"""JSON Schema of the dictionary."""


def dictionary(metadata_version: str = METADATA_VERSIONS[-1]) -> dict[str, Any]:
    """Give the dictionary of a metadata version, ready for JSON.

    Shape: `{"metadata_version", "variables": [...], "code_lists": {name: {"open": true,
    "codes": [{"value", "id", "en"}], "uncoded": [{"id", "en"}]}}, "masks": [{"name", "kinds",
    "id", "en"}]}`.
    `codes` of a variable names a list; `code_system` says whose region codes it holds.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
    """
    listed = (*variables("keluarga", metadata_version), *variables("anggota", metadata_version))
    return {
        "metadata_version": metadata_version,
        "variables": [_variable(each) for each in listed],
        "code_lists": {name: _codes(each) for name, each in code_lists(metadata_version).items()},
        "masks": [
            {"name": mask.name, "kinds": sorted(mask.kinds), **mask.text._asdict()}
            for mask in MASKS.values()
        ],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.qualified,
        "kind": variable.kind,
        "length": variable.length,
        "codes": variable.codes,
        "code_system": variable.code_system,
        "group": variable.group,
        "sensitivity": variable.sensitivity,
        "level": variable.level,
        "weight": variable.weight,
        "since": variable.since,
        "id": variable.id,
        "en": variable.en,
    }


def _codes(listed: CodeList) -> dict[str, Any]:
    return {
        "open": True,
        "codes": [{"value": value, **text._asdict()} for value, text in listed.codes.items()],
        "uncoded": [text._asdict() for text in listed.uncoded],
    }


_INTRODUCTION = """\
# Variabel DTSEN / DTSEN variables

Dibuat dari katalog (`schemas/data`); jangan disunting di sini.
Made from the catalogue (`schemas/data`); do not edit here.

Metadata {version}: {families} variabel keluarga, {members} variabel anggota. Nilai kosong berarti
tidak diketahui. Kelas menentukan tingkat akses paling rendah: `open` L2, `quasi` L3, `personal` L4.
`specific` (kesehatan dan disabilitas, UU PDP pasal 4) juga L4, tetapi tidak pernah ikut terbuka
oleh `level:...` dan dihitung lima orang dalam kuota.

Metadata {version}: {families} family variables, {members} member variables. Null means unknown. The
class sets the lowest access level: `open` L2, `quasi` L3, `personal` L4. `specific` (health and
disability) is L4 too, but no `level:...` ever opens it, and it counts five people in a quota.
"""


def variables_page(metadata_version: str = METADATA_VERSIONS[-1]) -> str:
    """Write `docs/variables.md`: every variable, code list and mask of a metadata version.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
    """
    families = variables("keluarga", metadata_version)
    members = variables("anggota", metadata_version)
    introduction = _INTRODUCTION.format(
        version=metadata_version,
        families=len(families),
        members=len(members),
    )
    parts = [
        introduction,
        *_table("Keluarga / Family", families),
        *_table("Anggota keluarga / Member", members),
        *_code_tables(metadata_version),
        *_mask_table(),
    ]
    return "\n".join(parts) + "\n"


def _table(title: str, listed: tuple[Variable, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| Variabel | Jenis / Kind | Kelompok / Group | Kelas / Class | Arti | Meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in listed:
        kind = f"{each.kind} [{each.codes}](#{each.codes})" if each.codes else each.kind
        kind = f"{each.kind} ({each.code_system})" if each.code_system else kind
        yield (
            f"| `{each.qualified}` | {kind} | {each.group} | {each.sensitivity} {each.level} "
            f"| {each.id} | {each.en} |"
        )
    yield ""


def _code_tables(metadata_version: str) -> Iterator[str]:
    yield "## Daftar kode / Code lists\n"
    yield (
        "Setiap daftar terbuka: rilis dapat memuat kode lain. / "
        "Every list is open: a release may carry other codes.\n"
    )
    for listed in code_lists(metadata_version).values():
        yield f"### {listed.name}\n"
        yield "| Kode / Code | Arti | Meaning |"
        yield "| --- | --- | --- |"
        yield from (f"| {value} | {text.id} | {text.en} |" for value, text in listed.codes.items())
        # Labels of merged codes: known to exist, their value not.
        yield from (f"| ? | {text.id} | {text.en} |" for text in listed.uncoded)
        yield ""


def _mask_table() -> Iterator[str]:
    yield "## Penyamaran / Masks\n"
    yield (
        "Nilai kosong tetap kosong. Nilai: pola (regex) atau daftar lengkapnya. / "
        "Null stays null. Values: their pattern (regex) or all of them.\n"
    )
    yield "| Nama / Name | Jenis / Kinds | Bentuk | Form | Nilai / Values | Contoh / Example |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for mask in MASKS.values():
        kinds = ", ".join(sorted(mask.kinds))
        values = mask.values.get("pattern") or ", ".join(mask.values["enum"])
        told = values.replace("|", "\\|")
        yield (
            f"| `{mask.name}` | {kinds} | {mask.text.id} | {mask.text.en} "
            f"| `{told}` | `{mask.example}` |"
        )
