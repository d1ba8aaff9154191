"""The `dtks` file: what DTKS knew of the population's poorer households, and how it was linked.

DTKS kept households (ID DTKS, 16 digits) of one or two family cards, and their people (ID ART, the
household's id and two digits). Part of its people never had a usable NIK, some households were
entered twice, some ids fell together when people were added with chance suffixes, some people died,
some were never recorded in DTSEN. One row a person and id; a household entered twice also has a row
of its own without `id_art_dtks`, retired in favour of the id that was kept.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.layout import LINK_STATES
from dtsen.releases.synth.chance import Chance, Flags, Ints, rank_within
from dtsen.releases.synth.habits import written
from dtsen.releases.synth.numbers import HOUSEHOLDS_OF_BLOCK, as_text, household_ids, semesta
from dtsen.releases.synth.people import FAMILY_BITS, PERSON_BITS, Families, People, block_of, find
from dtsen.releases.synth.rates import NEVER, START, Record
from dtsen.releases.synth.world import World

_LINKED, _UNMATCHED, _DECEASED, _RETIRED = (
    LINK_STATES.index(state) for state in ("linked", "unmatched", "deceased", "retired")
)
SOURCES = ("bdt-2015", "dtks-2019", "dtks-2021", "siks-ng")
METHODS = ("nik", "name_birth_date", "field_check", "none")
_METHOD_WEIGHTS = (0.75, 0.15, 0.10)
_BY_NIK, _BY_NAME, _NO_METHOD = 0, 1, 3
_TWICE = HOUSEHOLDS_OF_BLOCK // 2  # serials of the second ids of households
_ERROR = 0.12  # half width of DTKS's error about who is poor
_SUFFIXES = 100
_ADDED, _ROOM = 20, 5  # suffixes of added people: from here on, five for each place
_DEAD_WITHOUT_NIK = 0.4
_NOBODY = (1 << PERSON_BITS) - 1
"""The number of no person of a block: marks a household's own row."""


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """The rows as they stand at the beginning; `person` is -1 in a household's own row."""

    household: Ints  # ID DTKS
    suffix: Ints
    person: Ints
    kk: Ints
    replaced: Ints  # ID DTKS that replaces this one, or -1
    unmatched: Flags
    method: Ints
    score: Ints  # hundredths, or -1
    source: Ints
    linked_on: Ints
    second: Flags  # the person's second entry


def known_to_dtks(world: World, families: Families) -> Flags:
    """Families whose household DTKS held: roughly the poorest, as DTKS judged them."""
    chance, rates = world.chance, world.rates
    first = find(families.key, families.household)
    poor = families.quantile[first]
    error = (chance.uniform("dtks error", families.household) - 0.5) * 2.0 * _ERROR
    never = families.entered[first] == NEVER
    kept = ~never | chance.happens("dtks kept", families.household, rates.dtks_never_listed)
    waiting = (families.entered[first] > START) & ~never
    known: Flags = (poor + error < rates.dtks_poorest) & kept & ~waiting
    return known


def crosswalk(world: World, families: Families, people: People) -> Crosswalk:
    """The rows for the blocks of a chunk, from its state at `START`."""
    home = find(families.key, people.family)
    persons = np.flatnonzero(known_to_dtks(world, families)[home])
    household = families.household[home[persons]]
    order = np.lexsort((people.key[persons], household))
    persons, household = persons[order], household[order]
    keys, chance = people.key[persons], world.chance
    base = Crosswalk(
        household=_ids(world, household, second=False),
        suffix=_suffixes(world, household, keys),
        person=keys,
        kk=families.kk[home[persons]],
        replaced=np.full(len(keys), -1, dtype=np.int64),
        unmatched=_unmatched(world, household, keys),
        method=chance.pick("method", keys, _METHOD_WEIGHTS),
        score=np.full(len(keys), -1, dtype=np.int64),
        source=chance.whole("source", household, len(SOURCES)),
        linked_on=world.calendar.end(START) - 60 - chance.whole("linked", keys, 1900),
        second=np.zeros(len(keys), dtype=np.bool_),
    )
    twice = chance.happens("household twice", household, world.rates.household_twice)
    entries = _second_entries(world, base, household, twice)
    parts = [base, _collisions(world, base, household), entries, _own_rows(entries)]
    return _scored(chance, _stacked(parts))


def _ids(world: World, household: Ints, *, second: bool) -> Ints:
    """ID DTKS of each household key."""
    blocks = block_of(household, FAMILY_BITS)
    number = household & ((1 << FAMILY_BITS) - 1)
    serial = world.ordinals[blocks] * HOUSEHOLDS_OF_BLOCK + number + _TWICE * second
    return household_ids(world.places.bps[world.regencies[blocks]], serial)


def _suffixes(world: World, household: Ints, keys: Ints) -> Ints:
    """01, 02, ... in the household; people added later have a suffix that means nothing."""
    place = rank_within(household)
    added = (place > 0) & world.chance.happens("added", keys, world.rates.suffix_added)
    later = _ADDED + _ROOM * place + world.chance.whole("suffix", keys, _ROOM)
    return np.where(added & (later < _SUFFIXES), later, place + 1)


def _unmatched(world: World, household: Ints, keys: Ints) -> Flags:
    chance, rates = world.chance, world.rates
    whole = chance.happens("household unmatched", household, rates.household_unmatched)
    return whole | chance.happens("unmatched", keys, rates.member_unmatched)


def _cut(rows: Crosswalk, which: Flags, **changed: Ints | Flags) -> Crosswalk:
    """The chosen rows, with some columns replaced."""
    values = {name: getattr(rows, name)[which] for name in Crosswalk.__slots__}
    return Crosswalk(**{**values, **changed})


def _stacked(parts: list[Crosswalk]) -> Crosswalk:
    """The rows of all parts, by block and id."""
    values = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Crosswalk.__slots__
    }
    block = values["person"] >> PERSON_BITS
    order = np.lexsort((values["person"], values["suffix"], values["household"], block))
    return Crosswalk(**{name: column[order] for name, column in values.items()})


def _collisions(world: World, rows: Crosswalk, household: Ints) -> Crosswalk:
    """People who were also entered under the suffix of the one before them in the household."""
    same = np.zeros(len(household), dtype=np.bool_)
    same[1:] = (household[1:] == household[:-1]) & ~rows.unmatched[1:] & ~rows.unmatched[:-1]
    chosen = same & world.chance.happens("collision", rows.person, world.rates.suffix_collision)
    before = np.roll(rows.suffix, 1)[chosen]
    count = int(chosen.sum())
    return _cut(
        rows,
        chosen,
        suffix=before,
        method=np.full(count, _BY_NAME),
        second=np.ones(count, dtype=np.bool_),
    )


def _second_entries(world: World, rows: Crosswalk, household: Ints, twice: Flags) -> Crosswalk:
    """The rows of households entered twice, under the id that was given up."""
    ids = _ids(world, household[twice], second=True)
    second = np.ones(len(ids), dtype=np.bool_)
    return _cut(rows, twice, household=ids, replaced=rows.household[twice], second=second)


def _own_rows(entries: Crosswalk) -> Crosswalk:
    """One row for each household given up, beside those of its people."""
    first = rank_within(entries.household) == 0
    count = int(first.sum())
    # The person stays in the key of the order (its block), below every person of the block.
    return _cut(
        entries,
        first,
        suffix=np.zeros(count, dtype=np.int64),
        person=entries.person[first] >> PERSON_BITS << PERSON_BITS | _NOBODY,
        unmatched=np.zeros(count, dtype=np.bool_),
    )


def _scored(chance: Chance, rows: Crosswalk) -> Crosswalk:
    """Similarity scores of links by name: 60 of 100 was enough to count as matched."""
    method = np.where(rows.unmatched, _NO_METHOD, rows.method)
    score = 60 + chance.whole("score", rows.person, 41, rows.suffix)
    every = np.ones(len(method), dtype=np.bool_)
    return _cut(rows, every, method=method, score=np.where(method == _BY_NAME, score, -1))


def crosswalk_table(world: World, rows: Crosswalk, people: People) -> pa.Table:
    """The file's columns as they stand in a release: deaths since the beginning are known."""
    nobody = (rows.person & _NOBODY) == _NOBODY
    row = np.where(nobody, 0, np.searchsorted(people.key, rows.person))
    row = np.minimum(row, len(people.key) - 1)
    dead = (people.record[row] == Record.DECEASED) & ~nobody
    before = dead & (people.entered[row] == NEVER)
    no_nik = before & world.chance.happens("dead nik", rows.person, _DEAD_WITHOUT_NIK)
    retired = rows.replaced >= 0
    state = np.select([retired, dead, rows.unmatched], [_RETIRED, _DECEASED, _UNMATCHED], _LINKED)
    art = rows.household * 100 + rows.suffix
    unknown = rows.unmatched | no_nik | nobody
    known = world.chance.happens("semesta known", rows.person, world.rates.semesta_known)
    known &= ~nobody & (retired | ~rows.second)
    since = np.where(dead, np.maximum(people.record_since[row], rows.linked_on), rows.linked_on)
    replaced = np.where(nobody, rows.replaced, rows.replaced * 100 + rows.suffix)
    return pa.table(
        {
            "id_dtks": as_text(rows.household),
            "id_art_dtks": as_text(art, nobody),
            "idsemesta": _semesta(world.chance, rows, retired, known),
            "nomor_kartu_keluarga": as_text(rows.kk, rows.unmatched),
            "nomor_induk_kependudukan": as_text(people.nik[row], unknown),
            "state": written(state, LINK_STATES),
            "replaced_by": as_text(replaced, ~retired),
            "source": written(rows.source, SOURCES),
            "method": written(rows.method, METHODS),
            "score": pa.array(rows.score / 100.0, mask=rows.score < 0),
            "linked_on": pa.array(since.astype(np.int32), pa.date32()),
        }
    )


def _semesta(chance: Chance, rows: Crosswalk, retired: Flags, known: Flags) -> pa.Array:
    """The id of SIKS-NG; a second entry that was retired had one of its own."""
    ids = pc.if_else(
        pa.array(retired),
        semesta(chance, "semesta again", rows.person),
        semesta(chance, "semesta", rows.person),
    )
    return pc.if_else(pa.array(known), ids, pa.scalar(None, pa.string()))
