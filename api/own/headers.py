"""Headers of requests, narrowed to what the purposes of one operation take."""

from collections.abc import Sequence
from typing import NamedTuple

from dtsen.disclosure.opening import Opening

_NAMED = {"DTSEN-Officer": "officer", "DTSEN-Case-Ref": "case_ref"}


class Narrowed(NamedTuple):
    """The values that a header may have (none: as always), and whether it must be there."""

    values: Sequence[str]
    required: bool


def narrowed_header(name: str, opened: Sequence[Opening]) -> Narrowed | None:
    """How purposes narrow a header; None: not at all.

    It is required where every one of them asks for it; which does stands in `x-dtsen-purposes`.
    """
    if name == "DTSEN-Purpose":
        return Narrowed([each.purpose for each in opened], len(opened) > 1)
    if name == "DTSEN-Actor":
        actors = dict.fromkeys(actor for each in opened for actor in each.actors)
        # Whoever says nothing is a system, or an officer where one is named.
        silent = all({"officer", "system"} <= {*each.actors} for each in opened)
        return None if len(actors) == _EVERY and silent else Narrowed([*actors], required=False)
    if name in _NAMED:
        asked = all(_NAMED[name] in each.require for each in opened)
        return Narrowed([], required=True) if asked else None
    return None


_EVERY = 3
"""Actors that there are."""
