"""Chance that does not depend on order: every draw is a function of seed, purpose and key.

A counter-based generator (the finaliser of SplitMix64, Steele and others 2014) instead of a stream:
the same person draws the same lot whatever the chunk, the release or what was drawn before. Only
additions, multiplications and comparisons follow, so that every machine gets the same bytes.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint64]


def scramble(bits: Bits) -> Bits:
    """SplitMix64's finaliser: a bijection of 64-bit numbers in which every bit counts."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@cache
def _salt(seed: int, purpose: str) -> np.uint64:
    """64 bits that stand for one purpose under one seed."""
    digest = blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "big"))


class Chance:
    """All the chance of one population."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def bits(self, purpose: str, keys: Ints, again: Ints | int = 0) -> Bits:
        """64 bits for each key; `again` numbers repeated draws of the same purpose."""
        mixed = scramble(keys.astype(np.uint64) + _salt(self.seed, purpose))
        if isinstance(again, int) and again == 0:
            return mixed
        turns = np.asarray(again, dtype=np.int64).astype(np.uint64)
        return scramble(mixed + turns * np.uint64(0x9E3779B97F4A7C15))

    def uniform(self, purpose: str, keys: Ints, again: Ints | int = 0) -> Floats:
        """A number of [0, 1) for each key."""
        whole = self.bits(purpose, keys, again) >> np.uint64(11)
        return whole.astype(np.float64) * 2.0**-53

    def happens(
        self, purpose: str, keys: Ints, rate: Floats | float, again: Ints | int = 0
    ) -> Flags:
        """Whether it happens to each key."""
        return self.uniform(purpose, keys, again) < rate

    def whole(self, purpose: str, keys: Ints, below: Ints | int, again: Ints | int = 0) -> Ints:
        """A whole number of [0, below) for each key."""
        return (self.uniform(purpose, keys, again) * below).astype(np.int64)

    def pick(self, purpose: str, keys: Ints, weights: Sequence[float], again: int = 0) -> Ints:
        """An index of `weights` for each key, in proportion to them."""
        return pick_by(self.uniform(purpose, keys, again), weights)


def pick_by(draws: Floats, weights: Sequence[float]) -> Ints:
    """The index of `weights` under each draw of [0, 1)."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(bounds / bounds[-1], draws, side="right")
    return np.minimum(found, len(weights) - 1).astype(np.int64)


def reflect(positions: Floats) -> Floats:
    """Positions folded back into [0, 1]: symmetric steps then keep a uniform spread uniform."""
    folded = np.abs(positions)
    return np.where(folded > 1.0, 2.0 - folded, folded)


def rank_within(groups: Ints) -> Ints:
    """0, 1, 2, ... for the rows of each group, in the order in which they stand."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    lengths = np.diff(np.append(starts, len(ordered)))
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(ordered)) - np.repeat(starts, lengths)
    return ranks
