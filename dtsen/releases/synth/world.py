"""What does not change while a population lives: its chance, places, rates, calendar and blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dtsen.releases.synth.calendar import Calendar, ReleaseId
from dtsen.releases.synth.chance import Chance, Flags, Floats, Ints, rank_within
from dtsen.releases.synth.numbers import MOST_BLOCKS_OF_REGENCY, Issue
from dtsen.releases.synth.people import FAMILY_BITS, block_of
from dtsen.releases.synth.places import Places, known_places
from dtsen.releases.synth.rates import LISTED_PER_BLOCK, Rates

_HALF = 0.5


class TooManyFamilies(ValueError):
    """More families than the serial numbers of NIK and KK can tell apart in one regency."""


@dataclass(frozen=True, slots=True)
class World:
    """The fixed frame of one run; `regencies` and `ordinals` have one entry a block."""

    chance: Chance
    calendar: Calendar
    rates: Rates
    places: Places
    regencies: Ints
    ordinals: Ints
    families: int

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self.regencies)

    def issue(self, blocks: Ints) -> Issue:
        """Where the numbers of rows of these blocks are issued."""
        return Issue(blocks, self.regencies[blocks], self.ordinals[blocks], self.places.kemendagri)

    def premium_aid(self, families: Ints, quantile: Floats, visits: Ints) -> tuple[Flags, Flags]:
        """Whether a family has national (PBI) and local premium assistance, as last verified.

        Nearly all who have the national one are of deciles 1 to 5.
        """
        poor = quantile < _HALF
        national = self.chance.happens(
            "pbi",
            families,
            np.where(poor, self.rates.premium_aid - 0.8 * quantile, 0.03),
            again=visits,
        )
        local = self.chance.happens("pbi local", families, np.where(poor, 0.16, 0.07), again=visits)
        return national, local & ~national


def build_world(families: int, seed: int, releases: Sequence[ReleaseId], rates: Rates) -> World:
    """The frame for a population that begins with so many listed families.

    Raises:
        ReleasesNotConsecutive: see `Calendar`.
        TooManyFamilies: the numbers would not be unique any more.
    """
    chance = Chance(seed)
    places = known_places(chance)
    blocks = -(-families // LISTED_PER_BLOCK)
    offset = float(chance.uniform("offset", np.zeros(1, dtype=np.int64))[0])
    regencies = places.regencies_of_blocks(offset, blocks)
    ordinals = rank_within(regencies)
    if ordinals.max(initial=0) > MOST_BLOCKS_OF_REGENCY:
        raise TooManyFamilies
    return World(chance, Calendar(releases), rates, places, regencies, ordinals, families)


def family_issue(world: World, family_keys: Ints) -> Issue:
    """Where the numbers of these families' blocks are issued."""
    return world.issue(block_of(family_keys, FAMILY_BITS))
