"""Who is not found: an answer like any other, with what may be shown to a citizen as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


class Advice(NamedTuple):
    """A cause or a next step: its code, and its text in the language that was asked for."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nobody was found where it was looked: no refusal of aid, no proof of anything. False.

    `text` says so to people, `causes` and `next_steps` may be shown to a citizen.
    `scope`: `national`, or `agreement` where its rows are limited: may be recorded elsewhere.
    In answers about many it is None, with neither causes nor next steps.
    """

    release: str | None
    scope: Literal["national", "agreement"] | None = None
    causes: Sequence[Advice] = ()
    next_steps: Sequence[Advice] = ()
    text: str = ""

    def __bool__(self) -> bool:
        """False, so that `if person:` means what it seems to mean."""
        return False


def read_absence(told: Mapping[str, Any]) -> NotFound:
    """Who is not found, as the problem `subject-not-found` tells it.

    Raises:
        KeyError, TypeError, ValueError: that is not the contract's shape.
    """
    if told["scope"] not in {"national", "agreement"}:
        raise ValueError("a scope of an unknown kind")
    causes, next_steps = _advice(told["causes"]), _advice(told["next_steps"])
    return NotFound(told["release"], told["scope"], causes, next_steps, told["detail"])


def _advice(told: Sequence[Mapping[str, str]]) -> tuple[Advice, ...]:
    return tuple(Advice(one["code"], one["text"]) for one in told)
