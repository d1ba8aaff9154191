"""How often things are so, and how often they happen: every rate of the synthetic population.

Figures marked [M] and [S] are those of the domain notes (measured, or seen in a source); the rest
are believable orders of magnitude. `figures.py` states the domain notes' figures a second time, on
purpose: a wrong rate here must show there.
"""

from dataclasses import dataclass
from enum import IntEnum

LISTED_PER_BLOCK = 50
"""Families of a block that stand in the registry from the start."""
NEVER_PER_BLOCK = 3
"""Families of a block that only DTKS ever knew: where `out_of_snapshot` comes from."""
WAITING_PER_BLOCK = 5
"""Families of a block that the registry records one day, at a step drawn for each."""
FAMILIES_PER_BLOCK = LISTED_PER_BLOCK + NEVER_PER_BLOCK + WAITING_PER_BLOCK

MEMBER_SLOTS = 8
"""Places for people in a family of the beginning; the last is for one who died before it."""

STEPS_BEFORE = 2
"""Quarters lived before the first published release, so that it too has a past."""
LAST_STEP = 14
"""The number of releases that one population can live through; later steps know no newcomers."""
NEVER = 10_000
"""A step that does not come."""
START = -STEPS_BEFORE
"""The step at which the population begins; the first published release is step 1."""

TURN = 100
"""Added to a step that numbers a draw, so that no step before the first release is negative."""


class Relation(IntEnum):
    """`status_hubungan_keluarga`, the codes that the events need."""

    HEAD = 1
    SPOUSE = 2
    CHILD = 3
    GRANDCHILD = 5
    PARENT = 6
    OTHER = 8


class Marital(IntEnum):
    """`status_kawin`."""

    SINGLE = 1
    MARRIED = 2
    DIVORCED = 3
    WIDOWED = 4


class Record(IntEnum):
    """The state of a person's record (contract 6), in the order of `layout.RECORD_STATES`."""

    ACTIVE = 0
    DECEASED = 1
    INACTIVE = 2


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of 1; per quarter where the comment says so."""

    # The state of things.
    family_sizes: tuple[float, ...] = (0.145, 0.198, 0.287, 0.238, 0.091, 0.029, 0.012)
    """Sizes 1 to 7; mean 3.07; new cards bring it to 3.04 [M] by the first release."""
    second_family: float = 0.17  # households of two KK: 1.17 KK a household [M]
    no_decile: float = 0.011  # and newcomers have none yet: 1 to 2 % together
    nik_date_differs: float = 0.073  # 7.2 % [M] with the newborn, impossible dates included
    nik_date_impossible: float = 0.001  # [M]
    nik_sex_differs: float = 0.015  # [M]
    nik_elsewhere: float = 0.007  # 0.8 % [M] with those who moved away since
    kk_of_15_digits: float = 0.0004  # one row of 3,107 [M]
    premium_aid: float = 0.84  # of the poorest families; 96.8 of 289.1 M people in all [S]
    ktp_other_village: float = 0.06
    ktp_other_regency: float = 0.03

    # What DTKS knew.
    dtks_poorest: float = 0.38  # with those never listed and those who died: 40 % [S]
    dtks_never_listed: float = 0.82  # of the poor families the registry never recorded
    household_unmatched: float = 0.08
    member_unmatched: float = 0.098  # with whole households: 17 % of members [S]
    already_deceased: float = 0.050  # families with a member who died before: 2 % of members [S]
    household_twice: float = 0.011  # 1.06 M duplicate NIK of about 97 M [S]
    suffix_collision: float = 0.012
    suffix_added: float = 0.10
    semesta_known: float = 0.90

    # What happens, per quarter.
    rank_step: float = 0.093  # half width of the move in rank; calibrated to 62 % of rows [M]
    inactive_family: float = 0.0032
    inactive_person: float = 0.0020
    divorce: float = 0.0012
    marriage: float = 0.022  # of the women who may marry
    split: float = 0.002  # of adult children
    birth: float = 0.031  # of couples of child-bearing age
    move: float = 0.008
    move_far: float = 0.05  # of those who move
    population_update: float = 0.008
    field_check: float = 0.040
    proposal: float = 0.010  # families for which an update is proposed

    deceased_stay: int = 3  # steps that the deceased stay listed
    inactive_stay: int = 2
