"""The population as it stands before the first release: families, households and their people."""

from dataclasses import dataclass

import numpy as np

from dtsen.releases.synth.chance import Flags, Floats, Ints, reflect
from dtsen.releases.synth.numbers import kks, niks
from dtsen.releases.synth.people import FAMILY_BITS, PERSON_BITS, Families, People, block_of
from dtsen.releases.synth.rates import (
    FAMILIES_PER_BLOCK,
    LAST_STEP,
    LISTED_PER_BLOCK,
    MEMBER_SLOTS,
    NEVER,
    NEVER_PER_BLOCK,
    START,
    Marital,
    Record,
)
from dtsen.releases.synth.rosters import Roster, roster
from dtsen.releases.synth.world import World, family_issue

_OLDEST_CARD, _YOUNGEST_CARD = 6000, 30
_YEAR = 365.25
_LONGEST_ERROR = 500
_HOUSEHOLD_SPREAD = 0.3


def begin(world: World, first: int, count: int) -> tuple[Families, People]:
    """The families and people of some blocks at step `START`, in the order of their keys."""
    families = _families(world, first, count)
    return families, _people(world, families, roster(world, families))


def _entry(world: World, keys: Ints, numbers: Ints) -> Ints:
    """The step at which the registry first lists each family."""
    waiting = START + 1 + world.chance.whole("entry", keys, LAST_STEP - START)
    never = numbers < LISTED_PER_BLOCK + NEVER_PER_BLOCK
    return np.where(numbers < LISTED_PER_BLOCK, START, np.where(never, NEVER, waiting))


def _families(world: World, first: int, count: int) -> Families:
    blocks = np.repeat(np.arange(first, first + count), FAMILIES_PER_BLOCK)
    numbers = np.tile(np.arange(FAMILIES_PER_BLOCK), count)
    # The last block may hold fewer listed families than the others.
    listed = np.minimum(LISTED_PER_BLOCK, world.families - blocks * LISTED_PER_BLOCK)
    there = (numbers < listed) | (numbers >= LISTED_PER_BLOCK)
    blocks, numbers = blocks[there], numbers[there]
    chance, rates = world.chance, world.rates
    keys = (blocks << FAMILY_BITS) | numbers
    elder = keys - numbers % 2
    pairs = 2.0 * rates.second_family / (1.0 + rates.second_family)
    household = np.where(chance.happens("second family", elder, pairs), elder, keys)
    rank = chance.uniform("rank", household)
    apart = (chance.uniform("apart", keys) - 0.5) * _HOUSEHOLD_SPREAD
    rank = np.where(household == keys, rank, reflect(rank + apart))
    regencies = world.regencies[blocks]
    issued = world.calendar.end(START) - _YOUNGEST_CARD - chance.whole("card", keys, _OLDEST_CARD)
    nowhere = np.zeros(len(keys), dtype=np.bool_)
    short = chance.happens("short card", keys, rates.kk_of_15_digits)
    villages = world.places.villages(chance, household, world.ordinals[blocks])
    return Families(
        key=keys,
        household=household,
        kk=kks(family_issue(world, keys), issued, nowhere, short),
        place=regencies * 100 + villages,
        address=household << 3,
        rank=rank,
        quantile=world.places.national(rank, regencies),
        visits=np.zeros(len(keys), dtype=np.int64),
        entered=_entry(world, keys, numbers),
        undecided=chance.happens("undecided", keys, rates.no_decile),
    )


@dataclass(slots=True)
class _Card:
    """What identity cards say: place and address, which may be old ones."""

    place: Ints
    address: Ints


def _cards(world: World, families: Families, of: Ints, keys: Ints) -> _Card:
    """The card addresses of people: mostly the domicile, or where the family lived before."""
    chance, rates = world.chance, world.rates
    village = chance.happens("ktp village", families.key, rates.ktp_other_village)
    regency = chance.happens("ktp regency", families.key, rates.ktp_other_regency)
    regencies = families.place // 100
    other = np.where(
        regency, world.places.elsewhere(chance, "ktp where", families.key, regencies), regencies
    )
    there = other * 100 + chance.whole("ktp village where", families.key, 99)
    moved = village | regency
    place = np.where(moved, there, families.place)[of]
    address = np.where(moved, families.address | 1, families.address)[of]
    own = chance.happens("ktp own", keys, 0.01)
    return _Card(place, np.where(own, (keys << 3) | 2, address))


def _born(world: World, keys: Ints, ages: Floats) -> Ints:
    """Birth days for ages in years, spread over the year."""
    spread = world.chance.whole("birthday", keys, 365)
    return world.calendar.end(START) - (ages * _YEAR).astype(np.int64) - spread


def _issue_niks(world: World, keys: Ints, born: Ints, male: Flags) -> Ints:
    """NIKs with the disagreements that were measured in a real file."""
    chance, rates = world.chance, world.rates
    draw = chance.uniform("nik date", keys)
    error = 1 + chance.whole("nik date error", keys, _LONGEST_ERROR)
    flags = {
        "male": male ^ chance.happens("nik sex", keys, rates.nik_sex_differs),
        "impossible": draw < rates.nik_date_impossible,
        "elsewhere": chance.happens("nik elsewhere", keys, rates.nik_elsewhere),
    }
    said = np.where(draw < rates.nik_date_differs, born - error, born)
    return niks(world.issue(block_of(keys, PERSON_BITS)), said, flags)


def _people(world: World, families: Families, those: Roster) -> People:
    """The people of a roster, with numbers, cards and what the field last saw."""
    of, chance = those.family, world.chance
    blocks = block_of(families.key, FAMILY_BITS)[of]
    number = families.key[of] & ((1 << FAMILY_BITS) - 1)
    keys = (blocks << PERSON_BITS) | (number * MEMBER_SLOTS + those.slot)
    born = _born(world, keys, those.age)
    cards = _cards(world, families, of, keys)
    national, local = world.premium_aid(families.key, families.quantile, families.visits)
    start = world.calendar.end(START)
    none = np.zeros(len(keys), dtype=np.int64)
    died = start - 100 - chance.whole("died before", keys, 2500)
    return People(
        key=keys,
        family=families.key[of],
        male=those.male,
        born=born,
        relation=those.relation,
        marital=np.where(those.departed, Marital.WIDOWED, those.marital),
        nik=_issue_niks(world, keys, born, those.male),
        entered=np.where(those.departed, NEVER, families.entered[of]),
        left=none + NEVER + 1,
        record=np.where(those.departed, Record.DECEASED, Record.ACTIVE),
        record_since=np.where(those.departed, died, start),
        leaving=none,
        seen=start - 30 - chance.whole("seen", families.key, 900)[of],
        visits=none.copy(),
        quantile=families.quantile[of],
        origin=families.quantile[of],
        pbi=national[of],
        pbi_local=local[of],
        revisions=none.copy(),
        ktp_place=cards.place,
        ktp_address=cards.address,
    )
