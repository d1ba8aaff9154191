"""New family cards: marriages, divorces, grown children who leave, and moves."""

import numpy as np

from dtsen.releases.synth.chance import Flags, Ints, rank_within, reflect
from dtsen.releases.synth.numbers import kks, regency_of
from dtsen.releases.synth.people import (
    FAMILY_BITS,
    PERSON_BITS,
    Families,
    block_of,
    next_keys,
    years,
)
from dtsen.releases.synth.rates import TURN, Marital, Relation
from dtsen.releases.synth.town import Town
from dtsen.releases.synth.world import family_issue

_MARRYING, _LEAVING, _STAYS_WITH_MOTHER = (19, 38), (22, 60), 12
_YOUNGER_HUSBAND = 5
_MARRIAGE, _DIVORCE, _SPLIT, _MOVE = 0, 1, 2, 3  # lanes of days, see Calendar.day
_STRIDE = 4
_MAY_MARRY = (Relation.CHILD, Relation.GRANDCHILD, Relation.OTHER)
_NEW_RANK = 0.2
_CARD_FOLLOWS = 0.6


def _found_families(town: Town, origin: Ints, days: Ints) -> Families:
    """A new card for each row of `origin`, the family it comes from; added to the town."""
    families, chance = town.families, town.world.chance
    new = families.take(origin)
    new.key = next_keys(families.key, block_of(new.key, FAMILY_BITS), FAMILY_BITS)
    here = np.zeros(len(origin), dtype=np.bool_)
    new.kk = kks(family_issue(town.world, new.key), days, here, here, _STRIDE)
    new.address = new.key << 3 | 4
    apart = (chance.uniform("new rank", new.key) - 0.5) * _NEW_RANK
    new.rank = reflect(new.rank + apart)
    new.household = new.key
    new.visits = np.zeros(len(origin), dtype=np.int64)
    new.entered = np.full(len(origin), town.step, dtype=np.int64)
    town.families = families.joined(new)
    rows = town.row_of_family(new.key)
    previous = families.kk[origin]
    town.changes.reason(town.cards(rows), days, "new_family_card", previous)
    town.occupy(new.key)
    return new


def _at_home(town: Town) -> Flags:
    """Families that still live where their block is: new cards are issued there."""
    blocks = block_of(town.families.key, FAMILY_BITS)
    home: Flags = town.families.place // 100 == town.world.regencies[blocks]
    return home


def _join(town: Town, rows: Ints, new: Ints, days: Ints) -> None:
    """Move people to new families and say so."""
    old = town.families.kk[town.row_of_family(town.people.family[rows])]
    town.occupy(town.people.family[rows])
    town.people.family[rows] = new
    town.changes.reason(town.persons(rows), days, "new_family_card", old)


def marriages(town: Town) -> None:
    """Singles of one block and two households who marry and get a card of their own."""
    people, home = town.people, town.home()
    age = years(people.born, town.world.calendar.end(town.step))
    may = town.active() & town.free(people.family) & _at_home(town)[home]
    may &= (people.marital == Marital.SINGLE) & np.isin(people.relation, _MAY_MARRY)
    may &= (age >= _MARRYING[0]) & (age <= _MARRYING[1])
    her, him = _pairs(town, may, age)
    days = town.days("wedding", people.key[him], _MARRIAGE)
    new = _found_families(town, home[him], days)
    for rows, relation in ((him, Relation.HEAD), (her, Relation.SPOUSE)):
        people.relation[rows] = relation
        people.marital[rows] = Marital.MARRIED
        town.changes.reason(town.persons(rows), days, "married")
        _join(town, rows, new.key, days)


def _pairs(town: Town, may: Flags, age: Ints) -> tuple[Ints, Ints]:
    """Brides and bridegrooms: a chance order of each sex in each block, put side by side.

    Of the pairs so made a few marry: not of one household, the husband not much younger, and no
    family twice.
    """
    people = town.people
    lot = town.draw("wedding lot", people.key)
    sides = []
    for sex in (~people.male, people.male):
        rows = np.flatnonzero(may & sex)
        rows = rows[np.argsort(lot[rows], kind="stable")]
        blocks = block_of(people.key[rows], PERSON_BITS)
        # A block has fewer than 1,024 people, so this numbers the places of all blocks.
        sides.append((blocks << PERSON_BITS | rank_within(blocks), rows))
    _, left, right = np.intersect1d(sides[0][0], sides[1][0], return_indices=True)
    her, him = sides[0][1][left], sides[1][1][right]
    weds = town.luck("wedding", people.key[her], town.world.rates.marriage)
    household = town.families.household[town.home()]
    weds &= (household[her] != household[him]) & (age[him] + _YOUNGER_HUSBAND >= age[her])
    her, him = her[weds], him[weds]
    both = np.stack([people.family[her], people.family[him]], axis=1).ravel()
    once = rank_within(both).reshape(-1, 2).max(axis=1, initial=0) == 0
    order = np.argsort(people.key[him[once]], kind="stable")
    return her[once][order], him[once][order]


def divorces(town: Town) -> None:
    """Couples who part: the wife heads a new card, young children mostly go with her."""
    people, chance = town.people, town.world.chance
    wives = town.active() & town.free(people.family) & _at_home(town)[town.home()]
    wives &= (people.relation == Relation.SPOUSE) & (people.marital == Marital.MARRIED)
    wives &= ~people.male & town.luck("divorce", people.family, town.world.rates.divorce)
    her = np.flatnonzero(wives)
    him, there = town.partner_rows(her, np.full(len(her), int(Relation.HEAD)))
    her, him = her[there], him[there]
    origin, old = town.row_of_family(people.family[her]), people.family[her]
    days = town.days("divorce day", people.key[her], _DIVORCE)
    new = _found_families(town, origin, days)
    for rows in (her, him):
        people.marital[rows] = Marital.DIVORCED
        town.changes.reason(town.persons(rows), days, "divorced")
    people.relation[her] = Relation.HEAD
    age = years(people.born, town.world.calendar.end(town.step))
    goes = town.active() & (people.relation == Relation.CHILD) & (age < _STAYS_WITH_MOTHER)
    goes &= np.isin(people.family, old) & chance.happens("goes along", people.family, 0.75)
    children = np.flatnonzero(goes)
    order = np.argsort(old)
    which = order[np.searchsorted(old[order], people.family[children])]
    _join(town, her, new.key, days)
    _join(town, children, new.key[which], days[which])


def splits(town: Town) -> None:
    """Grown single children who get a card of their own."""
    people = town.people
    age = years(people.born, town.world.calendar.end(town.step))
    may = town.active() & town.free(people.family) & _at_home(town)[town.home()]
    may &= (people.relation == Relation.CHILD) & (people.marital == Marital.SINGLE)
    may &= (age >= _LEAVING[0]) & (age <= _LEAVING[1])
    rows = np.flatnonzero(may & town.luck("split", people.key, town.world.rates.split))
    rows = rows[rank_within(people.family[rows]) == 0]
    days = town.days("split day", people.key[rows], _SPLIT)
    new = _found_families(town, town.home()[rows], days)
    people.relation[rows] = Relation.HEAD
    _join(town, rows, new.key, days)


def moves(town: Town) -> None:
    """Families that move to another village or, with a new card, to another regency."""
    families, world = town.families, town.world
    living = np.zeros(len(families.key), dtype=np.bool_)
    living[town.home()[town.active()]] = True
    may = living & town.free(families.key) & _at_home(town)
    rows = np.flatnonzero(may & town.luck("move", families.key, world.rates.move))
    keys = families.key[rows]
    far = town.luck("far", keys, world.rates.move_far)
    days = town.days("move day", keys, _MOVE)
    issued = kks(family_issue(world, keys), days, far, np.zeros(len(keys), dtype=bool), _STRIDE)
    regency = np.where(
        far, regency_of(issued, world.places.kemendagri), families.place[rows] // 100
    )
    old = families.kk[rows]
    families.kk[rows] = np.where(far, issued, old)
    shift = 1 + world.chance.whole("new village", keys, 98, again=town.step + TURN)
    families.place[rows] = regency * 100 + (families.place[rows] + shift) % 100
    families.address[rows] = (keys << 12) | ((town.step + TURN) << 3) | 5
    town.changes.reason(town.cards(rows), days, "moved")
    town.changes.reason(town.cards(rows[far]), days[far], "new_family_card", old[far])
    _movers(town, rows, far, (days, old))
    town.occupy(keys)


def _movers(town: Town, rows: Ints, far: Flags, when: tuple[Ints, Ints]) -> None:
    """The people of families that moved: their rows, and identity cards that follow."""
    people, families = town.people, town.families
    days, old = when
    order = np.full(len(families.key), -1, dtype=np.int64)
    order[rows] = np.arange(len(rows))
    which = order[town.home()]
    moved = np.flatnonzero((which >= 0) & people.listed(town.step))
    which = which[moved]
    town.changes.reason(town.persons(moved), days[which], "moved")
    new = far[which]
    town.changes.reason(
        town.persons(moved[new]), days[which][new], "new_family_card", old[which][new]
    )
    follows = town.luck("card follows", people.family[moved], _CARD_FOLLOWS)
    cards = moved[follows]
    people.ktp_place[cards] = families.place[town.home()[cards]]
    people.ktp_address[cards] = families.address[town.home()[cards]]
