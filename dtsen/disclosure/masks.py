"""Masks: each defined once, in SQL.

What a mask means for people, and its value set, stand in `schemas/masks.py`.

A masked value stays present in its masked form, and its variable in `withheld`, reason `mask`.
"""

MASK_SQL = {
    # First letter of each word, each followed by a full stop: "SITI AMINAH" to "S. A."
    "initials": "regexp_replace(trim({column}), '(\\S)\\S*', '\\1.', 'g')",
    # The year of a date alone, as text: "1990".
    "year_only": "to_char({column}, 'YYYY')",
    # The first six digits of an identifier, the region of issue; the rest as asterisks.
    "first_6": "rpad(left({column}, 6), length({column}), '*')",
    # Deciles in bands of the poverty programmes' usual limits.
    "decile_band": (
        "CASE WHEN {column} <= 4 THEN '1-4' WHEN {column} <= 7 THEN '5-7' ELSE '8-10' END"
    ),
}
"""SQL expression of each mask over one column, `{column}` to be filled in."""


def masked(expression: str | None, column: str) -> str:
    """A column under a mask's SQL expression (none: the column itself)."""
    if expression is None:
        return column
    # An unknown value stays unknown under every mask.
    return f"CASE WHEN {column} IS NOT NULL THEN {expression.format(column=column)} END"
