"""People who enter and leave the registry: newcomers, births, deaths, inactive records."""

import numpy as np

from dtsen.releases.synth.chance import Floats, Ints
from dtsen.releases.synth.changes import NOTHING, reason_index
from dtsen.releases.synth.numbers import niks
from dtsen.releases.synth.people import PERSON_BITS, People, block_of, next_keys, years
from dtsen.releases.synth.rates import NEVER, START, Marital, Record, Relation
from dtsen.releases.synth.town import Town

_MORTALITY_AGES = (1, 40, 60, 70, 80)
_MORTALITY = np.array((0.016, 0.0012, 0.0055, 0.017, 0.045, 0.11))  # a year, from each age on
_QUARTERS = 4
_MOTHERS = (18, 42)
_BIRTH_LANE = 0
_INACTIVE = ("duplicate_nik", "nik_unmatched", "identity_incomplete")


def newcomers(town: Town) -> None:
    """Families that the registry lists for the first time."""
    new = np.flatnonzero(town.families.entered == town.step)
    if town.step > START:
        since = town.days("listed", town.families.key[new])
        town.changes.reason(town.cards(new), since, "listed")
        people = np.flatnonzero(town.people.entered == town.step)
        family = town.people.family[people]
        town.changes.reason(town.persons(people), town.days("listed", family), "listed")
        town.occupy(town.families.key[new])


def removals(town: Town) -> None:
    """People whose record was deceased or inactive before and is now taken out."""
    gone = np.flatnonzero((town.people.left == town.step) & (town.people.entered < town.step))
    reason = town.people.leaving[gone]
    since = town.days("removed", town.people.key[gone])
    town.changes.add(town.persons(gone), since, reason=reason)


def deaths(town: Town) -> None:
    """Deaths by age; the deceased stay listed for a while, their spouses are widowed."""
    people, world = town.people, town.world
    age = years(people.born, world.calendar.end(town.step))
    yearly: Floats = _MORTALITY[np.searchsorted(_MORTALITY_AGES, age, side="right")]
    dies = town.active() & town.free(people.family)
    dies &= town.draw("death", people.key) < yearly / _QUARTERS
    rows = np.flatnonzero(dies)
    since = town.days("death day", people.key[rows])
    spouse_is = np.select(
        [people.relation[rows] == Relation.HEAD, people.relation[rows] == Relation.SPOUSE],
        [Relation.SPOUSE, Relation.HEAD],
        0,
    )
    _strike(town, rows, since, Record.DECEASED)
    people.leaving[rows] = reason_index("deceased")
    spouse, there = town.partner_rows(rows, spouse_is.astype(np.int64))
    there &= people.marital[spouse] == Marital.MARRIED
    people.marital[spouse[there]] = Marital.WIDOWED
    town.changes.reason(town.persons(spouse[there]), since[there], "widowed")
    town.occupy(people.family[rows])


def _strike(town: Town, rows: Ints, since: Ints, record: Record) -> None:
    """Give records a state other than active, and the step at which they will leave."""
    rates = town.world.rates
    stay = rates.deceased_stay if record is Record.DECEASED else rates.inactive_stay
    town.people.record[rows] = record
    town.people.record_since[rows] = since
    town.people.left[rows] = town.step + stay


def falls_inactive(town: Town) -> None:
    """Families not found any more, and single records that the population data disown."""
    people, rates = town.people, town.world.rates
    may = town.active() & town.free(people.family)
    families = may & town.luck("not found", people.family, rates.inactive_family)
    alone = may & ~families & town.luck("inactive", people.key, rates.inactive_person)
    kind = town.world.chance.whole("inactive kind", people.key, len(_INACTIVE))
    for code in ("not_found", *_INACTIVE):
        chosen = families if code == "not_found" else alone & (kind == _INACTIVE.index(code))
        rows = np.flatnonzero(chosen)
        purpose_keys = people.family[rows] if code == "not_found" else people.key[rows]
        since = town.days("inactive day", purpose_keys)
        _strike(town, rows, since, Record.INACTIVE)
        people.leaving[rows] = reason_index(code)
    town.occupy(people.family[families | alone])


def births(town: Town) -> None:
    """Children of couples; a newborn has the mother's family, assistance and card address."""
    people, world = town.people, town.world
    age = years(people.born, world.calendar.end(town.step))
    may = town.active() & town.free(people.family) & ~people.male
    may &= (people.relation == Relation.SPOUSE) & (people.marital == Marital.MARRIED)
    may &= (age >= _MOTHERS[0]) & (age <= _MOTHERS[1])
    mothers = np.flatnonzero(may & town.luck("birth", people.key, world.rates.birth))
    child = people.take(mothers)
    blocks = block_of(child.key, PERSON_BITS)
    child.key = next_keys(people.key, blocks, PERSON_BITS)
    child.male = town.luck("boy", child.key, 0.512)
    child.born = town.days("birth day", child.key, _BIRTH_LANE)
    _newborn(town, child)
    nothing = np.zeros(len(blocks), dtype=np.bool_)
    flags = {"male": child.male, "impossible": nothing, "elsewhere": nothing}
    child.nik = niks(world.issue(blocks), child.born, flags)
    town.people = people.joined(child)
    rows = np.flatnonzero(np.isin(town.people.key, child.key))
    town.changes.reason(town.persons(rows), town.people.born[rows], "born")


def _newborn(town: Town, child: People) -> None:
    """What a newborn is in the registry."""
    count = len(child.key)
    for name, value in (
        ("relation", Relation.CHILD),
        ("marital", Marital.SINGLE),
        ("entered", town.step),
        ("left", NEVER + 1),
        ("record", Record.ACTIVE),
        ("leaving", 0),
        ("seen", town.world.calendar.end(town.step)),
        ("visits", 0),
        ("revisions", 0),
    ):
        setattr(child, name, np.full(count, int(value), dtype=np.int64))


def record_states(town: Town) -> None:
    """One row for everybody listed whose record is not active; a reason where that is new."""
    people = town.people
    rows = np.flatnonzero(people.listed(town.step) & (people.record != Record.ACTIVE))
    since = people.record_since[rows]
    new = since > town.world.calendar.end(town.step - 1)
    reason = np.where(new, people.leaving[rows], NOTHING)
    town.changes.add(town.persons(rows), since, record=people.record[rows], reason=reason)
