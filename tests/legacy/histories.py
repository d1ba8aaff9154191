"""Households of DTKS and what became of them, told by a world that remembers every event.

Nothing here reads a crosswalk: who an id was given to is noted when it is given. From the world's
last day a release folder is written; what translation makes of it is held against the memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.dtsen.releases.folders import change, family, id_dtks, kk, link, member, nik

HOUSEHOLDS = 90
EVENTS = 260
MOST_SUFFIX = 60
"""Of one household; its people never come near it."""


@dataclass
class Somebody:
    """A person: the serials of NIK and card as they are now, and whether they live."""

    nik: int
    card: int
    alive: bool = True
    matched: bool = True


@dataclass
class Given:
    """A member's id: to whom it was given, and what replaced it. `stale`: NIKs as once linked."""

    owners: set[int]
    replaced_by: str | None = None
    stale: dict[int, int] = field(default_factory=dict)


class World:
    """Ninety households and their years."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - a history, not a secret
        self.people: list[Somebody] = []
        self.ids: dict[str, Given] = {}
        self.households: dict[int, list[str]] = {}
        self.happened: dict[str, int] = {}
        self._cards = self._niks = 0
        for house in range(1, HOUSEHOLDS + 1):
            self.households[house] = []
            card = self._card()
            for _ in range(self.chance.randint(1, 5)):
                self.people.append(Somebody(self._nik(), card, matched=self.chance.random() > 0.05))
                self._give(house, {len(self.people) - 1})
        events = (self.merge, self.split, self.rename, self.renumber, self.clash, self.die)
        for _ in range(EVENTS):
            event = self.chance.choice(events)
            if event():
                self.happened[event.__name__] = self.happened.get(event.__name__, 0) + 1

    def merge(self) -> bool:
        """One household was entered twice: its people get ids of the other, which are kept."""
        gone, kept = self.chance.sample(sorted(self.households), 2)
        present = self._present(gone)
        for old in present:
            self._replace(old, kept)
        return bool(present)

    def split(self) -> bool:
        """Some of a card's people get a family card of their own."""
        card = self.chance.choice(self.people).card
        together = [one for one in self.people if one.card == card and one.alive]
        if len(together) < 2:
            return False
        new = self._card()
        for one in together[: len(together) // 2]:
            one.card = new
        return True

    def rename(self) -> bool:
        """A member's id is replaced by another of the same household."""
        house = self.chance.choice(sorted(self.households))
        present = self._present(house)
        if present:
            self._replace(self.chance.choice(present), house)
        return bool(present)

    def renumber(self) -> bool:
        """A person gets another NIK; half of the links are matched anew, half keep the old."""
        who = self.chance.randrange(len(self.people))
        old, self.people[who].nik = self.people[who].nik, self._nik()
        for given in self.ids.values():
            if who in given.owners and self.chance.random() < 0.5:
                given.stale.setdefault(who, old)
        return True

    def clash(self) -> bool:
        """An id that somebody has is given to somebody else as well."""
        present = [one for house in self.households for one in self._present(house)]
        who = self.chance.randrange(len(self.people))
        given = self.ids[self.chance.choice(present)]
        if who in given.owners:
            return False
        given.owners.add(who)
        return True

    def die(self) -> bool:
        """Somebody dies."""
        one = self.chance.choice(self.people)
        one.alive, was = False, one.alive
        return was

    def chain(self, asked: str) -> Iterator[Given]:
        """An id and all that replaced it, one after the other."""
        following: str | None = asked
        while following is not None:
            given = self.ids[following]
            yield given
            following = given.replaced_by

    def rows(self) -> dict[str, list[dict[str, object]]]:
        """The release of the last day."""
        listed = [
            _link(asked, given, who, self.people[who])
            for asked, given in self.ids.items()
            for who in sorted(given.owners)
        ]
        dead = [one for one in self.people if not one.alive]
        return {
            "keluarga": [family(card) for card in sorted({one.card for one in self.people})],
            "anggota": [member(one.nik, of=one.card) for one in self.people],
            "dtks": listed,
            "perubahan": [
                change(one.nik, record_state="deceased", reason="deceased") for one in dead
            ],
        }

    def _present(self, house: int) -> list[str]:
        return [one for one in self.households[house] if self.ids[one].replaced_by is None]

    def _replace(self, old: str, house: int) -> None:
        new = self._give(house, set(self.ids[old].owners))
        self.ids[new].stale = dict(self.ids[old].stale)
        self.ids[old].replaced_by = new

    def _give(self, house: int, owners: set[int]) -> str:
        suffix = len(self.households[house]) + 1
        assert suffix <= MOST_SUFFIX
        made = f"{id_dtks(house)}{suffix:02d}"
        self.households[house].append(made)
        self.ids[made] = Given(owners)
        return made

    def _card(self) -> int:
        self._cards += 1
        return self._cards

    def _nik(self) -> int:
        self._niks += 1
        return self._niks


def _link(asked: str, given: Given, who: int, one: Somebody) -> dict[str, object]:
    known = nik(given.stale.get(who, one.nik)), kk(one.card)
    state = "retired" if given.replaced_by else "linked" if one.matched else "unmatched"
    return link(
        1,
        id_dtks=asked[:16],
        id_art_dtks=asked,
        nomor_induk_kependudukan=known[0] if one.matched else None,
        nomor_kartu_keluarga=known[1] if one.matched else None,
        state=state,
        replaced_by=given.replaced_by,
    )
