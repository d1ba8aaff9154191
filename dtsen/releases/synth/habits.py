"""Code values drawn from `habits.yaml`: what the poor and the rich have, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from dtsen.releases.synth.chance import Chance, Flags, Floats, Ints, pick_by

_CHANGES = 0.2
"""Chance that a field visit finds a variable changed."""


@cache
def habits() -> dict[str, Any]:
    """The packaged file, which ships with the code and never changes while it runs."""
    text = (files("dtsen.releases.synth") / "habits.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read


@dataclass(frozen=True, slots=True)
class Draw:
    """Whom to draw for: keys, their quantile in the nation, and their field visits so far."""

    chance: Chance
    keys: Ints
    quantile: Floats
    visits: Ints

    def turn(self, purpose: str) -> Ints:
        """The number of the draw: the first one, or that of a visit which found a change."""
        changed = self.chance.happens(f"{purpose} changed", self.keys, _CHANGES, self.visits)
        return np.where(changed, self.visits, 0)

    def uniform(self, purpose: str) -> Floats:
        """A number of [0, 1) for each key, another one when a visit found a change."""
        return self.chance.uniform(purpose, self.keys, self.turn(purpose))

    def code(self, purpose: str, weights: Mapping[str, tuple[float, float]]) -> Ints:
        """The index of a code for each key, by the weights of the poorest and the richest."""
        poor = [pair[0] for pair in weights.values()]
        rich = [pair[1] for pair in weights.values()]
        draws = self.uniform(purpose)
        side = self.chance.uniform(f"{purpose} side", self.keys) < self.quantile
        return np.where(side, pick_by(draws, rich), pick_by(draws, poor))


def written(indices: Ints, values: tuple[str, ...], missing: Flags | None = None) -> pa.Array:
    """The text of each index; null where missing."""
    return pa.array(values, pa.string()).take(pa.array(indices, mask=missing))
