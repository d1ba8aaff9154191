"""Who lives in a family at the beginning: relations, sexes, ages and marital states that fit.

A family has a head; most have a spouse and children born when the mother was of age; some a
grandparent, a grandchild, another relative. One more person may have died before: DTKS still knows.
"""

from dataclasses import dataclass

import numpy as np

from dtsen.releases.synth.chance import Flags, Floats, Ints
from dtsen.releases.synth.people import Families
from dtsen.releases.synth.rates import MEMBER_SLOTS, Marital, Relation
from dtsen.releases.synth.world import World

_COUPLES = 0.86
_OLDEST = 94.0
_OF_AGE = 17.0
_GROWN = 30.0
_LONE_OLD = 0.6
_NO_ELDER, _WIDOWED_FROM, _PARTED_FROM = 60.0, 50.0, 23.0
_PARTED, _YET_SINGLE, _LEFT_YOUNG, _CHILD_PARTED = 0.2, 0.7, 0.65, 0.08
_SMALL, _LARGE = 2, 4  # family sizes: older couples; with room for a grandparent


@dataclass(slots=True)
class Roster:
    """One row a person; `family` is the row of the family, `age` in years."""

    family: Ints
    slot: Ints
    relation: Ints
    male: Flags
    age: Floats
    marital: Ints
    departed: Flags


@dataclass(slots=True)
class _Heads:
    """One row a family."""

    size: Ints
    couple: Flags
    male: Flags
    age: Floats
    mother: Floats  # age of the spouse, or of a lone head


def _heads(world: World, families: Families) -> _Heads:
    chance, keys = world.chance, families.key
    size = 1 + chance.pick("size", keys, world.rates.family_sizes)
    alone = size == 1
    couple = ~alone & chance.happens("couple", keys, _COUPLES)
    male = couple | chance.happens("head male", keys, np.where(alone, 0.4, 0.25))
    one, two = chance.uniform("head age", keys), chance.uniform("head age, too", keys)
    lone = np.where(
        chance.happens("old alone", keys, _LONE_OLD), 58.0 + 32.0 * one, 20.0 + 30.0 * one
    )
    grown = np.where(size <= _SMALL, 22.0 + 60.0 * one, 25.0 + 22.0 * (one + two))
    age = np.where(alone, lone, grown)
    spouse = np.maximum(age + 2.0 - 9.0 * chance.uniform("spouse age", keys), 18.0)
    return _Heads(size, couple, male, age, np.where(couple, spouse, age))


def _draft(world: World, families: Families, heads: _Heads) -> Roster:
    """A row for every place that is taken; relations head, spouse or child so far."""
    departed = world.chance.happens("departed", families.key, world.rates.already_deceased)
    slots = np.arange(MEMBER_SLOTS)
    taken = (slots < heads.size[:, None]) | ((slots == MEMBER_SLOTS - 1) & departed[:, None])
    family, slot = (where.astype(np.int64) for where in np.nonzero(taken))
    relation = np.full(len(slot), int(Relation.CHILD))
    relation[(slot == 1) & heads.couple[family]] = Relation.SPOUSE
    relation[slot == 0] = Relation.HEAD
    gone = slot == MEMBER_SLOTS - 1
    relation[gone] = Relation.PARENT
    keys = families.key[family] * MEMBER_SLOTS + slot
    male = world.chance.happens("male", keys, 0.507)
    male = np.where(relation == Relation.HEAD, heads.male[family], male)
    male = np.where(relation == Relation.SPOUSE, ~heads.male[family], male)
    age = np.where(relation == Relation.HEAD, heads.age[family], heads.mother[family])
    single = np.full(len(slot), int(Marital.SINGLE))
    return Roster(family, slot, relation, male, age, single, gone)


def _children(world: World, roster: Roster, heads: _Heads, keys: Ints) -> None:
    """Ages by the mother's age at birth; the grown-up children of the old may be grandchildren."""
    chance, child = world.chance, roster.relation == Relation.CHILD
    mother = heads.mother[roster.family]
    turn = roster.slot - 1 - heads.couple[roster.family]
    at_birth = 19.0 + 3.2 * turn + 5.0 * chance.uniform("at birth", keys)
    age, draw = mother - at_birth, chance.uniform("child age", keys)
    age = np.where(age < 0.0, draw * np.clip(mother - _OF_AGE, 0.5, 10.0), age)
    old = age > _GROWN
    grandchild = child & old & chance.happens("grandchild", keys, 0.45)
    age = np.where(old, np.minimum(20.0 + 20.0 * draw, mother - _OF_AGE), age)
    age = np.where(grandchild, 17.0 * draw, age)
    roster.age = np.where(child, age, roster.age)
    roster.relation[grandchild] = Relation.GRANDCHILD


def _elders(world: World, roster: Roster, heads: _Heads, keys: Ints) -> None:
    """Grandparents and other relatives, on the last place of larger families; and the departed."""
    chance, head_age = world.chance, heads.age[roster.family]
    size = heads.size[roster.family]
    draw = chance.uniform("elder age", keys)
    last = (roster.slot == size - 1) & (size >= _LARGE)
    elder = last & (head_age < _NO_ELDER) & chance.happens("elder", keys, 0.16)
    elder |= roster.departed
    other = last & ~elder & chance.happens("other relative", keys, 0.05)
    roster.relation[elder], roster.relation[other] = Relation.PARENT, Relation.OTHER
    age = np.where(elder, np.minimum(head_age + 19.0 + 9.0 * draw, _OLDEST), roster.age)
    roster.age = np.where(other, 5.0 + 50.0 * draw, age)
    woman = elder & chance.happens("grandmother", keys, 0.74)
    roster.male = np.where(elder, ~woman, roster.male)


def _marital(world: World, roster: Roster, heads: _Heads, keys: Ints) -> None:
    """Marital states that fit relation and age."""
    draw, age = world.chance.uniform("marital", keys), roster.age
    parted = np.where(draw < _PARTED, Marital.DIVORCED, Marital.WIDOWED)
    alone_young = np.where(draw < _YET_SINGLE, Marital.SINGLE, Marital.DIVORCED)
    young = np.where(draw < _LEFT_YOUNG, Marital.DIVORCED, Marital.WIDOWED)
    head = np.where(
        age > _WIDOWED_FROM, parted, np.where(heads.size[roster.family] == 1, alone_young, young)
    )
    grown = np.where(
        (age > _PARTED_FROM) & (draw < _CHILD_PARTED), Marital.DIVORCED, Marital.SINGLE
    )
    head = np.where(heads.couple[roster.family], Marital.MARRIED, head)
    kinds = [Relation.HEAD, Relation.SPOUSE, Relation.PARENT]
    roster.marital = np.select(
        [roster.relation == kind for kind in kinds],
        [head, np.full(len(age), int(Marital.MARRIED)), np.full(len(age), int(Marital.WIDOWED))],
        grown,
    ).astype(np.int64)


def roster(world: World, families: Families) -> Roster:
    """The people of these families, family by family."""
    heads = _heads(world, families)
    drafted = _draft(world, families, heads)
    keys = families.key[drafted.family] * MEMBER_SLOTS + drafted.slot
    _children(world, drafted, heads, keys)
    _elders(world, drafted, heads, keys)
    _marital(world, drafted, heads, keys)
    return drafted
