"""Commands that are imported when called: one alone needs a tenth of what all of them do."""

from collections import UserDict
from importlib import import_module
from typing import Any, TypeAlias

import typer
from typer.core import TyperGroup

Command: TypeAlias = Any
"""What Typer makes of a function or of a Typer: one of Click's commands, whose types it hides."""


class Commands(UserDict[str, Command]):
    """Commands by name, given as `module:attribute` and made when they are asked for."""

    def __getitem__(self, name: str) -> Command:
        """The command; the attribute is a function, or a Typer with commands of its own."""
        held = self.data[name]
        if isinstance(held, str):
            module, _, attribute = held.partition(":")
            held = self.data[name] = _made(name, getattr(import_module(module), attribute))
        return held


def _made(name: str, found: Any) -> Command:  # noqa: ANN401 - a function of any signature
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


class LazyGroup(TyperGroup):
    """A group that imports none of its commands to name them."""

    def list_commands(self, _: Command) -> list[str]:
        """Their names, in the order of the table."""
        return list(self.commands)
