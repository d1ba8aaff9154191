"""What the differential says when the wire is not what the contract demands."""

import json
from typing import Any


class Leak(AssertionError):
    """The wire is not what the contract demands."""


def same(what: str, found: object, awaited: object) -> None:
    """Hold one thing against another.

    Raises:
        Leak: they differ.
    """
    if found != awaited or type(found) is not type(awaited):
        raise Leak(f"{what}: found {found!r}, awaited {awaited!r}")


def strict(text: bytes) -> Any:
    """JSON without repeated members."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Leak("a member twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError:
        raise Leak("another form than the one expected") from None
