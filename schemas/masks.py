"""Masks: the forms in which an agreement may open a variable without opening its value.

Only what they are is here: to which kinds each applies, its value set, its sentence. How a value
becomes its masked form is SQL and lives with the gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from schemas.text import Text
from schemas.variables import Kind, Variable

DECILE_BANDS = ("1-4", "5-7", "8-10")


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask; `values` is the JSON Schema of every masked value that is not null.

    `example` is one masked value, of nobody.
    """

    name: str
    kinds: frozenset[Kind]
    values: Mapping[str, Any]
    text: Text
    example: str

    def applies_to(self, variable: Variable) -> bool:
        """Say whether the variable can be masked so."""
        return variable.kind in self.kinds


def _mask(
    name: str, kinds: set[Kind], values: dict[str, Any], text: Text, example: str
) -> tuple[str, Mask]:
    schema = MappingProxyType({"type": "string", **values})
    return name, Mask(name, frozenset(kinds), schema, text, example)


MASKS: Mapping[str, Mask] = MappingProxyType(
    dict(
        (
            _mask(
                "initials",
                {"text"},
                {"maxLength": 500, "pattern": r"^(\S\.)?(\s+\S\.)*$"},
                Text(
                    "Huruf pertama setiap kata, masing-masing diikuti titik",
                    "The first letter of each word, each with a full stop",
                ),
                "S. A.",
            ),
            _mask(
                "year_only",
                {"date"},
                {"maxLength": 4, "pattern": "^[0-9]{4}$"},
                Text("Hanya tahun, empat angka", "The year alone, four digits"),
                "1990",
            ),
            _mask(
                "first_6",
                {"nik", "kk"},
                {"maxLength": 16, "pattern": r"^[0-9]{6}\*{9,10}$"},
                Text(
                    "Enam angka pertama (wilayah penerbitan), sisanya bintang",
                    "The first six digits (the region of issue), asterisks for the rest",
                ),
                "337499" + "*" * 10,
            ),
            _mask(
                "decile_band",
                {"decile"},
                {"enum": list(DECILE_BANDS)},
                Text(
                    "Kelompok desil: 1-4, 5-7 atau 8-10",
                    "A band of deciles: 1-4, 5-7 or 8-10",
                ),
                "1-4",
            ),
        ),
    ),
)
"""Every mask by the name that agreements write."""
