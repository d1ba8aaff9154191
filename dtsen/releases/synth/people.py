"""The population's state: one row a person and one a family, in parallel arrays.

Keys say where a row belongs: a person's key is block * 1024 + number, a family's block * 256 +
number. A block is some fifty families of one district; everything that happens between families
happens inside one block, so that a population may be made in chunks of any number of blocks.
Rows are always in the order of their keys. Days are counted from 1970-01-01, steps are quarters.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from dtsen.releases.synth.chance import Flags, Floats, Ints, rank_within

PERSON_BITS = 10
FAMILY_BITS = 8


@dataclass(slots=True)
class Rows:
    """Parallel arrays that are cut, joined and sorted together."""

    key: Ints

    def take(self, which: Ints | Flags) -> Self:
        """The chosen rows, as copies."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    def copied(self) -> Self:
        """The rows as they are now, untouched by what happens later."""
        return self.take(np.arange(len(self.key)))

    def joined(self, others: Self) -> Self:
        """These rows and the others, in the order of their keys."""
        both = type(self)(
            *(
                np.concatenate([getattr(self, field.name), getattr(others, field.name)])
                for field in fields(self)
            )
        )
        return both.take(np.argsort(both.key, kind="stable"))


@dataclass(slots=True)
class Families(Rows):
    """One row a family card."""

    household: Ints  # key of the household's first family, at the beginning
    kk: Ints  # nomor_kartu_keluarga as a number: codes begin at 11, nothing is lost
    place: Ints  # domicile, see places.py
    address: Ints  # what street, number, RT and RW are drawn from
    rank: Floats  # position in the regency now, 0 poorest to 1
    quantile: Floats  # position in the nation when last seen in the field
    visits: Ints  # field verifications so far
    entered: Ints  # step of the first release that lists it
    undecided: Flags  # never ranked: no decile


@dataclass(slots=True)
class People(Rows):
    """One row a person."""

    family: Ints
    male: Flags
    born: Ints  # day
    relation: Ints
    marital: Ints
    nik: Ints  # as a number
    entered: Ints  # first step that lists the person
    left: Ints  # first step that does not any more
    record: Ints  # Record
    record_since: Ints  # day
    leaving: Ints  # index of the reason for which the person will leave
    seen: Ints  # day of the last field verification: ages of schooling, work and health
    visits: Ints
    quantile: Floats  # the family's, when last seen in the field
    origin: Floats  # the family's of the beginning: schooling does not follow fortune
    pbi: Flags
    pbi_local: Flags
    revisions: Ints  # updates of the population data so far
    ktp_place: Ints
    ktp_address: Ints

    def listed(self, step: int) -> Flags:
        """Who stands in the release of this step."""
        return (self.entered <= step) & (self.left > step)


def block_of(keys: Ints, bits: int) -> Ints:
    """The block that each key lies in."""
    return keys >> bits


def next_keys(existing: Ints, blocks: Ints, bits: int) -> Ints:
    """Keys for new rows of these blocks, numbered after the existing ones (sorted)."""
    ends = np.searchsorted(existing, (blocks + 1) << bits)
    return existing[ends - 1] + 1 + rank_within(blocks)


def find(keys: Ints, wanted: Ints) -> Ints:
    """The row of each wanted key among `keys` (sorted, all present)."""
    return np.searchsorted(keys, wanted).astype(np.int64)


def years(born: Ints, day: Ints | int) -> Ints:
    """Completed years of age on a day (by the mean length of a year)."""
    return (day - born) * 4 // 1461
