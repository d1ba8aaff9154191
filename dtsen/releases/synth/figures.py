"""The domain notes' figures beside what was written, each with a tolerance that can fail.

Everything is measured in the finished tables, never in the generator's own state, and expected
values are stated here a second time, so that neither a wrong rate nor a wrong writer goes unseen.
A tolerance is an allowance, for what the model simplifies, and four standard errors, for chance in
a small population.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import pyarrow as pa

from dtsen.releases.layout import File
from dtsen.releases.synth.calendar import ReleaseId
from dtsen.releases.synth.measuring import at_one_time, between_two
from dtsen.releases.synth.world import World

_ERRORS = 4.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What a figure should be: value, allowance, standard deviation of one unit, source."""

    name: str
    value: float
    allowance: float
    source: str
    deviation: float | None = None  # of one unit; None: a share's, sqrt(p * (1 - p))
    alike: float = 1.0  # units that share their fate, as the people of a family do

    def tolerance(self, units: int) -> float:
        """How far the measured value may be off when so many independent units were counted."""
        deviation = self.deviation or sqrt(self.value * (1.0 - self.value))
        return self.allowance + _ERRORS * deviation / sqrt(max(units / self.alike, 1.0))


_VILLAGE = "village file"
STATE: Mapping[str, Expected] = {
    "family_size": Expected("People in a family", 3.04, 0.04, "BPS, Jan 2026", 1.5),
    "no_decile": Expected("Families without a decile", 0.015, 0.005, "1 to 2 %"),
    "nik_date": Expected("NIK with another birth date", 0.072, 0.004, _VILLAGE),
    "nik_impossible": Expected("NIK with an impossible date", 0.001, 0.0003, _VILLAGE),
    "nik_sex": Expected("NIK with the other sex", 0.015, 0.002, _VILLAGE),
    "nik_elsewhere": Expected("NIK of another regency", 0.008, 0.002, _VILLAGE),
    "short_kk": Expected("KK of 15 digits", 1 / 3107, 0.0003, _VILLAGE),
    "premium_aid": Expected("People with national PBI", 0.335, 0.03, "PBI quota", alike=3),
    "household_cards": Expected("KK in a DTKS household", 1.17, 0.03, _VILLAGE, 0.4),
    # 3.04 people on each of 1.17 cards are 3.56, and DTKS keeps the deceased.
    "household_people": Expected("People in a DTKS household", 3.5, 0.22, _VILLAGE, 2.1),
    "dtks_share": Expected("DTKS people beside all", 0.40, 0.03, "poorest 40 %", alike=4),
    "unmatched": Expected("DTKS people without a NIK", 0.17, 0.01, "DTKS, 2021", alike=3),
    "duplicates": Expected("DTKS people entered twice", 0.0109, 0.002, "DTKS, 2021", alike=4),
    "dtks_deceased": Expected("DTKS people deceased", 0.0207, 0.008, "DTKS, 2020"),
    "out_of_snapshot": Expected("Linked people not in DTSEN", 0.053, 0.012, "PBI, 2025", alike=4),
}
"""Of the first release. The domain notes: 289.1 M people in 95.0 M families; 96.8 M with national
PBI, of whom 5.09 M were not in DTSEN (2025); of 97 to 99 M in DTKS 16.7 M without a NIK and 1.06 M
double (2021), 2.66 M of 128 M deceased (2020)."""
CHANGE: Mapping[str, Expected] = {
    "changed": Expected("Rows that changed", 0.62, 0.03, "storage notes", alike=3),
    "stable": Expected("Rows with another own value", 0.05, 0.015, "storage notes", alike=3),
    "new": Expected("New people", 0.01, 0.002, "storage notes", alike=3),
    "gone": Expected("People gone", 0.007, 0.002, "storage notes", alike=3),
}
"""Of each release and the one before it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside the domain notes' one."""

    release: ReleaseId
    code: str
    name: str
    measured: float
    expected: float
    tolerance: float
    source: str

    @property
    def holds(self) -> bool:
        """Whether it is within its tolerance."""
        return abs(self.measured - self.expected) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one run."""

    figures: tuple[Figure, ...]
    rows: Mapping[ReleaseId, Mapping[File, int]]

    @property
    def hold(self) -> bool:
        """Whether every figure is within its tolerance."""
        return all(figure.holds for figure in self.figures)


class Measures:
    """Counts gathered chunk by chunk."""

    def __init__(self, world: World, releases: Sequence[ReleaseId]) -> None:
        self._world, self._releases = world, tuple(releases)
        self._sums: list[Counter[str]] = [Counter() for _ in releases]
        self._units: list[Counter[str]] = [Counter() for _ in releases]
        self._rows: list[Counter[File]] = [Counter() for _ in releases]
        self._last: dict[File, pa.Table] = {}

    def take(self, step: int, tables: dict[File, pa.Table]) -> None:
        """Count one chunk of the release of a step; its earlier steps must have come before."""
        counts = at_one_time(tables) if step == 1 else between_two(self._last, tables)
        for code, (total, units) in counts.items():
            self._sums[step - 1][code] += total
            self._units[step - 1][code] += units
        self.count_rows(step, tables)
        self._last = tables

    def count_rows(self, step: int, tables: Mapping[File, pa.Table]) -> None:
        """Count rows of the release of a step that are to be in no figure."""
        self._rows[step - 1].update({name: table.num_rows for name, table in tables.items()})

    def figures(self) -> Figures:
        """The figures of all that was counted."""
        found = []
        for place, release in enumerate(self._releases):
            for code, expected in (CHANGE if place else STATE).items():
                units = self._units[place][code]
                found.append(
                    Figure(
                        release,
                        code,
                        expected.name,
                        self._sums[place][code] / max(units, 1),
                        expected.value,
                        expected.tolerance(units),
                        expected.source,
                    )
                )
        rows = {
            release: dict(counts)
            for release, counts in zip(self._releases, self._rows, strict=True)
        }
        return Figures(tuple(found), rows)
