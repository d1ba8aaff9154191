"""NIK, KK and legacy ids that are unique, look right and cannot be anybody's.

NIK and KK carry the district digits 99, ID DTKS the village digits 999: no such district or village
exists. Uniqueness needs no register: the serial number holds the ordinal of the block within its
regency and a slot, so two blocks never meet, and inside a block equal dates take different slots.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.synth.chance import Chance, Flags, Ints, rank_within, scramble

MOST_BLOCKS_OF_REGENCY = 997
"""What four serial digits hold; about seven million families in all."""
HOUSEHOLDS_OF_BLOCK = 256
"""Serials of a block; 58 to 127 are never issued."""

_SLOTS = 10
_FIRST_SERIAL = 11  # those below are kept for people who are known by name: the example family
_NIK_HERE, _NIK_ELSEWHERE, _KK_HERE, _KK_ELSEWHERE = (0, 4), (4, 2), (6, 2), (8, 2)
_DISTRICT = 99
_FEMALE = 40
_IMPOSSIBLE_DAY, _IMPOSSIBLE_MONTH = 31, 2
_SHORT = 1000  # serials below have a leading zero, which a 15-digit KK has lost
_LONG = 10**15  # the smallest number of 16 digits
_BELOW_CODE = 10**12
_BPS_DISTRICT, _NO_VILLAGE = 990, 999
_NIBBLES, _SYNTHETIC = 16, pa.scalar("sintetis")


@dataclass(frozen=True, slots=True)
class Issue:
    """Where numbers are issued: block, its regency and its ordinal there, one a row."""

    blocks: Ints
    regencies: Ints
    ordinals: Ints
    codes: Ints  # Kemendagri code of every regency

    def take(self, rows: Ints | Flags) -> "Issue":
        """The chosen rows."""
        return Issue(self.blocks[rows], self.regencies[rows], self.ordinals[rows], self.codes)


def six_digits(days: Ints) -> Ints:
    """DDMMYY of each day, as a number."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day = (dates - months).astype(np.int64) + 1
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    found: Ints = day * 10_000 + (months.astype(np.int64) % 12 + 1) * 100 + year % 100
    return found


def _regency(issue: Issue, sixes: Ints, elsewhere: Flags) -> Ints:
    """The issuing regency: the block's own, or one that the date alone decides.

    Because it depends on the date alone, two blocks of one regency that issue elsewhere on one date
    go to the same one, and their ordinals keep them apart there.
    """
    count = len(issue.codes)
    away = 1 + (scramble(sixes.astype(np.uint64)) % np.uint64(count - 1)).astype(np.int64)
    return np.where(elsewhere, (issue.regencies + away) % count, issue.regencies)


def _number(issue: Issue, sixes: Ints, elsewhere: Flags, slot: Ints) -> Ints:
    code = issue.codes[_regency(issue, sixes, elsewhere)]
    serial = _FIRST_SERIAL + _SLOTS * issue.ordinals + slot
    return ((code * 100 + _DISTRICT) * 1_000_000 + sixes) * 10_000 + serial


def _slots(
    issue: Issue, sixes: Ints, elsewhere: Flags, room: tuple[int, int]
) -> tuple[Ints, Flags]:
    """The place of each row among those of its block with the same digits, and who found none."""
    group = (issue.blocks * 2 + elsewhere) * 1_000_000 + sixes
    rank = rank_within(group)
    return rank, rank >= np.where(elsewhere, room[1], room[0])


def niks(issue: Issue, days: Ints, flags: dict[str, Flags]) -> Ints:
    """A NIK for each row.

    `days` are the birth dates that the NIK says; `flags` are `male` (what it says), `impossible`
    (31 February) and `elsewhere`. More people of one block and date than serials: the last ones'
    NIK says the day before.
    """
    days, elsewhere = days.copy(), flags["elsewhere"]
    impossible = flags["impossible"].copy()
    while True:
        sixes = six_digits(days)
        wrong = _IMPOSSIBLE_DAY * 10_000 + _IMPOSSIBLE_MONTH * 100 + sixes % 100
        sixes = np.where(impossible, wrong, sixes) + np.where(flags["male"], 0, _FEMALE * 10_000)
        slot, full = _slots(issue, sixes, elsewhere, (_NIK_HERE[1], _NIK_ELSEWHERE[1]))
        if not full.any():
            break
        days[full] -= 1
        impossible &= ~full
    slot += np.where(elsewhere, _NIK_ELSEWHERE[0], _NIK_HERE[0])
    return _number(issue, sixes, elsewhere, slot)


def kks(issue: Issue, days: Ints, elsewhere: Flags, short: Flags, stride: int = 1) -> Ints:
    """A family card number for each row, issued on its day or `stride` days earlier.

    `elsewhere`: issued by another regency. `short`: has lost the leading zero of its serial, if it
    has one, and is left with 15 digits, as the registry knows them.
    """
    days = days.copy()
    while True:
        sixes = six_digits(days)
        slot, full = _slots(issue, sixes, elsewhere, (_KK_HERE[1], _KK_ELSEWHERE[1]))
        if not full.any():
            break
        days[full] -= stride
    slot += np.where(elsewhere, _KK_ELSEWHERE[0], _KK_HERE[0])
    numbers = _number(issue, sixes, elsewhere, slot)
    serial = numbers % 10_000
    lost = short & (serial < _SHORT)
    return np.where(lost, numbers // 10_000 * _SHORT + serial, numbers)


def regency_of(numbers: Ints, codes: Ints) -> Ints:
    """The index of the regency that issued each number, NIK or KK; `codes` are sorted."""
    long = numbers >= _LONG
    code = numbers // np.where(long, _BELOW_CODE, _BELOW_CODE // 10)
    return np.searchsorted(codes, code).astype(np.int64)


def household_ids(bps: Ints, serials: Ints) -> Ints:
    """ID DTKS: the BPS code of the synthetic village, its last three digits 999, and a serial."""
    return ((bps * 1000 + _BPS_DISTRICT) * 1000 + _NO_VILLAGE) * 1_000_000 + serials


def semesta(chance: Chance, purpose: str, keys: Ints) -> pa.Array:
    """An opaque, unique id for each person key, which says that it is synthetic."""
    shifts = np.arange(_NIBBLES, dtype=np.uint64) * np.uint64(4)
    nibbles = (chance.bits(purpose, keys)[:, None] >> shifts) & np.uint64(15)
    letters = (nibbles + np.uint64(ord("a"))).astype(np.uint8)
    texts = pc.cast(pa.array(letters.view(f"S{_NIBBLES}").ravel()), pa.string())
    return pc.binary_join_element_wise(_SYNTHETIC, texts, "-")


def as_text(numbers: Ints, missing: Flags | None = None) -> pa.Array:
    """Numbers as the strings that identifiers are; null where missing."""
    return pc.cast(pa.array(numbers, mask=missing), pa.string())
