"""What is wrong with a release's files: where and by which code, never a value.

A fault refuses the whole release. A warning counts an oddity that files of real people are full of
and refuses nothing. Rows are numbered from 1, the first record under the header; blank lines of a
CSV are no records.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

LISTED = 1_000
"""Faults that are listed for one file; beyond them they are only counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the file, the row and column where it has one, and a code."""

    file: str
    row: int | None
    column: str | None
    code: str

    @property
    def place(self) -> tuple[int, str]:
        """Order faults of a file by row, those of the file as a whole first."""
        return self.row or 0, self.column or ""


@dataclass(frozen=True, slots=True)
class Count:
    """How often a code was found in one column of one file."""

    file: str
    column: str | None
    code: str
    count: int


class Report:
    """Faults and warnings gathered while the files of one release are read."""

    def __init__(self) -> None:
        self._listed: dict[str, list[Fault]] = {}
        self._faults: Counter[tuple[str, str | None, str]] = Counter()
        self._warnings: Counter[tuple[str, str | None, str]] = Counter()

    @property
    def refused(self) -> bool:
        """Whether anything was found that refuses the release."""
        return bool(self._faults)

    def refuse(self, file: str, code: str, *, column: str | None = None) -> None:
        """Add a fault of a file as a whole, or of one of its columns."""
        self._faults[file, column, code] += 1
        self._list(file, [Fault(file, None, column, code)])

    def refuse_rows(self, file: str, code: str, rows: Iterable[int], *, column: str | None) -> None:
        """Add one fault for each of these row numbers."""
        numbers = list(rows)
        if numbers:
            self._faults[file, column, code] += len(numbers)
            self._list(file, (Fault(file, int(row), column, code) for row in numbers))

    def warn(self, file: str, code: str, count: int, *, column: str | None) -> None:
        """Count an oddity."""
        if count:
            self._warnings[file, column, code] += count

    def faults(self) -> Iterator[Fault]:
        """The listed faults, file by file, by row."""
        for listed in self._listed.values():
            yield from sorted(listed, key=lambda fault: fault.place)

    def counts(self) -> list[Count]:
        """Every fault counted, most frequent first."""
        return [Count(*place, count) for place, count in self._faults.most_common()]

    def warnings(self) -> list[Count]:
        """Every oddity counted, most frequent first."""
        return [Count(*place, count) for place, count in self._warnings.most_common()]

    def _list(self, file: str, faults: Iterable[Fault]) -> None:
        listed = self._listed.setdefault(file, [])
        listed.extend(islice(faults, LISTED - len(listed)))
