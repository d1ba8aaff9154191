"""When releases are cut off and published, and which days belong to which step.

A release of quarter Qn is cut off on the 17th and published on the 20th of the quarter's last
month: the village notices and press reports of the domain notes name those days of the month.
Days are counted from 1970-01-01; step 1 is the first published release.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from dtsen.releases.synth.chance import Chance, Ints
from dtsen.releases.synth.rates import LAST_STEP, TURN

ReleaseId: TypeAlias = str
"""A year and a quarter, as in `2026-Q3`."""

EPOCH = date(1970, 1, 1)
_RELEASE_ID = re.compile("[0-9]{4}-Q[1-4]")
_QUARTERS, _MONTHS = 4, 3
_CUT_OFF, _PUBLISHED = 17, 20
_LANES = 4
_MARGIN = 10


class ReleasesNotConsecutive(ValueError):
    """Not consecutive quarters (2026-Q2, 2026-Q3), oldest first, or too many of them."""


class Calendar:
    """The quarters of one run.

    Raises:
        ReleasesNotConsecutive: unknown form, none, a gap, wrong order, more than `LAST_STEP`.
    """

    def __init__(self, releases: Sequence[ReleaseId]) -> None:
        if not all(_RELEASE_ID.fullmatch(release) for release in releases):
            raise ReleasesNotConsecutive
        quarters = [int(release[:4]) * _QUARTERS + int(release[-1]) - 1 for release in releases]
        expected = list(range(quarters[0], quarters[0] + len(quarters))) if quarters else []
        if not quarters or quarters != expected or len(quarters) > LAST_STEP:
            raise ReleasesNotConsecutive
        self._first = quarters[0]

    def _date(self, step: int, day: int) -> date:
        year, quarter = divmod(self._first + step - 1, _QUARTERS)
        return date(year, (quarter + 1) * _MONTHS, day)

    def cut_off(self, step: int) -> date:
        """The last day that the release of this step knows."""
        return self._date(step, _CUT_OFF)

    def published(self, step: int) -> date:
        """The day on which the release of this step came out."""
        return self._date(step, _PUBLISHED)

    def end(self, step: int) -> int:
        """The cut-off as a day number."""
        return (self.cut_off(step) - EPOCH).days

    def day(self, chance: Chance, purpose: str, keys: Ints, when: tuple[int, int]) -> Ints:
        """A day of a step for each key; `when` is (step, lane).

        Of four lanes (0 to 3) each has days of its own, so that family cards issued for different
        events never bear the same date. The first ten days stay free for numbers moved earlier.
        """
        step, lane = when
        start = self.end(step - 1) + _MARGIN
        turns = (self.end(step) - start - lane) // _LANES
        return start + lane + _LANES * chance.whole(purpose, keys, turns, again=step + TURN)
