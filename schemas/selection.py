"""How an agreement names variables, and which ones its names select.

A name is `keluarga.X`, `anggota.X`, a bare name where it is unique, a group (`group:welfare`) or an
access level of the sharing practice (`level:L3`: every variable of that level and below). Levels
never select the `specific` class (health and disability): whoever needs those names them, or
`group:health`, in so many words. No name selects nothing.
"""

from collections.abc import Iterable
from typing import get_args

from schemas.variables import CATALOGUE, GROUPS, Level, Variable, find, variables

_LEVELS: tuple[Level, ...] = get_args(Level)
_GROUP, _LEVEL = "group:", "level:"


def named(name: str) -> tuple[Variable, ...]:
    """Give the variables that one name selects, in catalogue order.

    Raises:
        UnknownVariable: nothing has this name, group or level.
        AmbiguousVariable: the bare name stands in both sets.
    """
    if name.startswith(_GROUP) and name.removeprefix(_GROUP) in GROUPS:
        group = name.removeprefix(_GROUP)
        return tuple(each for each in CATALOGUE.values() if each.group == group)
    if (most := stated_level(name)) is not None:
        return tuple(
            each
            for each in CATALOGUE.values()
            if each.level <= most and each.sensitivity != "specific"
        )
    return (find(name),)


def selected(names: Iterable[str]) -> tuple[Variable, ...]:
    """Give the variables that the names select together, in catalogue order, each once.

    Raises:
        UnknownVariable: nothing has one of the names.
        AmbiguousVariable: a bare name stands in both sets.
    """
    chosen = {variable.qualified for name in names for variable in named(name)}
    return tuple(variable for key, variable in CATALOGUE.items() if key in chosen)


def stated_level(name: str) -> Level | None:
    """Give the level that a preset states, or None if the name is no preset."""
    return next((level for level in _LEVELS if name == f"{_LEVEL}{level}"), None)


def variable_names() -> tuple[str, ...]:
    """Give every name of a single variable that `find` accepts: qualified, then bare."""
    bare = [each.name for each in (*variables("keluarga"), *variables("anggota"))]
    return (*CATALOGUE, *(name for name in bare if bare.count(name) == 1))


def selector_names() -> tuple[str, ...]:
    """Give every name that an agreement may list: groups, levels and single variables."""
    groups = (f"{_GROUP}{group}" for group in GROUPS)
    return (*groups, *(f"{_LEVEL}{level}" for level in _LEVELS), *variable_names())
