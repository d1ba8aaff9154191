"""One quarter in the life of a population: the events in their order, and what follows from them.

What a family shows of its members (how many, who heads it) follows from who is listed; so the rows
that explain it are found by comparing the family before and after, never said by each event.
"""

from dataclasses import dataclass

import numpy as np

from dtsen.releases.synth import cards, leaving, standing
from dtsen.releases.synth.chance import Flags, Ints
from dtsen.releases.synth.changes import Changes
from dtsen.releases.synth.people import Families, People, find
from dtsen.releases.synth.rates import Record, Relation
from dtsen.releases.synth.town import Town
from dtsen.releases.synth.world import World


@dataclass(frozen=True, slots=True)
class Stand:
    """What one step's release shows of the families, beside their own columns."""

    listed: Flags  # of people
    members: Ints  # listed people of each family; 0: the family is not listed
    head: Ints  # row of the person who heads each family, -1 without members
    deciles: Ints


def stand(world: World, families: Families, people: People, step: int) -> Stand:
    """How the families stand in the release of a step."""
    listed = people.listed(step)
    rows = np.flatnonzero(listed)
    home = find(families.key, people.family[rows])
    members = np.bincount(home, minlength=len(families.key)).astype(np.int64)
    return Stand(
        listed,
        members,
        _heads(people, rows, home, members),
        standing.deciles(world, families, step),
    )


def _heads(people: People, rows: Ints, home: Ints, members: Ints) -> Ints:
    """The active head of each family; without one, the member who comes first."""
    order = np.lexsort(
        (
            people.born[rows],
            people.relation[rows] != Relation.SPOUSE,
            people.relation[rows] != Relation.HEAD,
            people.record[rows] != Record.ACTIVE,
            home,
        )
    )
    head = np.full(len(members), -1, dtype=np.int64)
    some = members > 0
    starts = np.cumsum(members) - members
    head[some] = rows[order[starts[some]]]
    return head


def live(
    world: World, families: Families, people: People, step: int
) -> tuple[Families, People, Changes]:
    """Let one quarter pass; the state at its end, and the rows that explain it."""
    before = stand(world, families, people, step - 1)
    old = _Before(families.copied(), people.copied(), before)
    town = Town(world, families, people, step)
    leaving.newcomers(town)
    leaving.removals(town)
    leaving.deaths(town)
    leaving.falls_inactive(town)
    cards.divorces(town)
    cards.marriages(town)
    cards.splits(town)
    cards.moves(town)
    leaving.births(town)
    _new_heads(town)
    standing.rank_anew(town)
    standing.verification(town)
    _explain_families(town, old)
    leaving.record_states(town)
    standing.updates(town)
    return town.families, town.people, town.changes


@dataclass(frozen=True, slots=True)
class _Before:
    """The end of the quarter before."""

    families: Families
    people: People
    stand: Stand


def _new_heads(town: Town) -> None:
    """Families whose head died, left or fell inactive: the spouse or the eldest takes over."""
    people = town.people
    head = stand(town.world, town.families, people, town.step).head
    rows = head[head >= 0]
    new = (people.record[rows] == Record.ACTIVE) & (people.relation[rows] != Relation.HEAD)
    rows = rows[new]
    people.relation[rows] = Relation.HEAD
    since = town.days("new head", people.key[rows])
    town.changes.reason(town.persons(rows), since, "head_changed")


def _explain_families(town: Town, old: _Before) -> None:
    """Rows for families that lost or won members, changed their head or decile, or ended."""
    families, people = town.families, town.people
    now = stand(town.world, families, people, town.step)
    rows = find(families.key, old.families.key)
    stays = (old.stand.members > 0) & (now.members[rows] > 0)
    same = find(people.key, old.people.key)
    was, is_now = old.stand.listed, now.listed[same]
    moved = old.people.family != people.family[same]
    left = np.unique(old.people.family[was & (~is_now | moved)])
    newly = now.listed.copy()
    newly[same] &= ~was | moved
    joined = np.unique(people.family[newly])
    keys = old.families.key
    headed = old.people.key[old.stand.head] != people.key[now.head[rows]]
    found = {
        "member_left": stays & np.isin(keys, left),
        "member_joined": stays & np.isin(keys, joined),
        "head_changed": stays & headed,
        "re_ranked": stays & (old.stand.deciles != now.deciles[rows]).any(axis=1),
        "no_members_left": (old.stand.members > 0) & (now.members[rows] == 0),
    }
    for code, which in found.items():
        chosen = rows[which]
        since = town.world.calendar.end(town.step)
        days = town.days(code, families.key[chosen])
        town.changes.reason(town.cards(chosen), since if code == "re_ranked" else days, code)
