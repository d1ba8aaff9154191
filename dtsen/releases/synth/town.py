"""The blocks of one chunk during one quarter: what the events of `quarter.py` share."""

import numpy as np

from dtsen.releases.synth.chance import Flags, Floats, Ints
from dtsen.releases.synth.changes import FAMILY, PERSON, Changes, Subjects
from dtsen.releases.synth.people import (
    FAMILY_BITS,
    PERSON_BITS,
    Families,
    People,
    block_of,
    find,
)
from dtsen.releases.synth.rates import TURN, Record
from dtsen.releases.synth.world import World


class Town:
    """Families and people as they change during one step.

    A family to which something happened is busy: nothing else that moves people between families
    happens to it in the same quarter, so that every change has one plain explanation.
    """

    def __init__(self, world: World, families: Families, people: People, step: int) -> None:
        self.world, self.step = world, step
        self.families, self.people = families, people
        self.changes = Changes()
        self._busy = np.empty(0, dtype=np.int64)

    def active(self) -> Flags:
        """People whom this step's release lists as active, families that are new today too."""
        active: Flags = self.people.listed(self.step) & (self.people.record == Record.ACTIVE)
        return active

    def home(self) -> Ints:
        """The row of each person's family."""
        return find(self.families.key, self.people.family)

    def free(self, family_keys: Ints) -> Flags:
        """Which of these families nothing has happened to yet."""
        return ~np.isin(family_keys, self._busy)

    def occupy(self, family_keys: Ints) -> None:
        """Mark families as busy for the rest of the quarter."""
        self._busy = np.union1d(self._busy, family_keys)

    def days(self, purpose: str, keys: Ints, lane: int = 0) -> Ints:
        """A day of this quarter for each key."""
        return self.world.calendar.day(self.world.chance, purpose, keys, (self.step, lane))

    def luck(self, purpose: str, keys: Ints, rate: Floats | float) -> Flags:
        """Whether something that may happen each quarter happens in this one."""
        return self.world.chance.happens(purpose, keys, rate, again=self.step + TURN)

    def draw(self, purpose: str, keys: Ints) -> Floats:
        """A number of [0, 1) for each key, another one each quarter."""
        return self.world.chance.uniform(purpose, keys, again=self.step + TURN)

    def persons(self, rows: Ints | Flags) -> Subjects:
        """People as subjects of change rows."""
        return Subjects(PERSON, block_of(self.people.key[rows], PERSON_BITS), self.people.nik[rows])

    def cards(self, rows: Ints | Flags) -> Subjects:
        """Families as subjects of change rows."""
        return Subjects(
            FAMILY, block_of(self.families.key[rows], FAMILY_BITS), self.families.kk[rows]
        )

    def row_of_family(self, family_keys: Ints) -> Ints:
        """The row of each family."""
        return find(self.families.key, family_keys)

    def partner_rows(self, rows: Ints, relations: Ints) -> tuple[Ints, Flags]:
        """The active person of the given relation in each person's family, and whether any is."""
        wanted = self.people.family[rows] * 16 + relations
        active = np.flatnonzero(self.active())
        if not len(active):
            return np.zeros_like(rows), np.zeros(len(rows), dtype=np.bool_)
        index = self.people.family[active] * 16 + self.people.relation[active]
        order = np.argsort(index, kind="stable")
        place = np.minimum(np.searchsorted(index[order], wanted), len(active) - 1)
        found = active[order[place]]
        there = index[order[place]] == wanted
        return found, there
