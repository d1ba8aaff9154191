"""The files of one release checked against each other and made into the rows of their tables.

They are read in the order of `ORDER`, in which each finds what it needs: families and states before
people. The links come first, so that their many indexes are made while the rest is read. All that
is found goes into the report. Rows are made all the same; the loader throws them away if the report
refuses.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from dtsen.releases.cleaning import NULL, Cells, Positions
from dtsen.releases.copying import lines
from dtsen.releases.keyed import ABSENT, Keyed, Keys, by_row, keys_of
from dtsen.releases.layout import COPIED, FAMILY_KEY, MEMBER_KEY, File, columns
from dtsen.releases.oddities import count_oddities
from dtsen.releases.report import Report
from dtsen.releases.sheet import Sheet

ORDER: tuple[File, ...] = ("dtks", "keluarga", "perubahan", "anggota")

_LARGEST_NIK = 10**16 - 1


class Check:
    """Reads the files of one release and holds what the rows of one take from another."""

    def __init__(self, metadata_version: str, report: Report) -> None:
        self._version = metadata_version
        self._report = report
        self._families = Keyed(COPIED)
        self._people = Keyed()
        self._records = Keyed(("record_state",))
        self._updates = Keyed(("update_state", "hold", "since"))
        self._complete: Mapping[File, Callable[[Sheet, dict[str, Cells]], dict[str, Cells]]] = {
            "keluarga": self._keep_family,
            "perubahan": self._keep_state,
            "anggota": self._join_person,
            "dtks": lambda _, cells: cells,
        }

    def rows(self, file: File, path: Path, expected: int) -> Iterator[tuple[int, memoryview]]:
        """Read a file: for each chunk its number of records, and them in COPY's text format."""
        sheet = Sheet(file, path, self._version, self._report)
        names = [column.name for column in columns(file, self._version)]
        for count, own in sheet:
            cells = self._complete[file](sheet, own)
            yield count, lines([cells[name] for name in names])
        sheet.expect(expected)
        self._seal(file, sheet)

    def _seal(self, file: File, sheet: Sheet) -> None:
        """Finish what a file leaves for others, and report keys that occur again."""
        if file == "keluarga":
            sheet.refuse("duplicate-kk", FAMILY_KEY, self._families.seal())
        elif file == "anggota":
            sheet.refuse("duplicate-nik", MEMBER_KEY, self._people.seal())
        elif file == "perubahan":
            self._records.seal()
            self._updates.seal()

    def _keep_family(self, _: Sheet, cells: dict[str, Cells]) -> dict[str, Cells]:
        self._families.add(keys_of(cells[FAMILY_KEY]), cells)
        return cells

    def _keep_state(self, sheet: Sheet, cells: dict[str, Cells]) -> dict[str, Cells]:
        """Keep what a person's row repeats of this file: the latest state of each kind."""
        keys = keys_of(cells["id"])
        person = _equal(cells["subject"], "anggota")
        sheet.refuse_here("malformed-nik", "id", np.flatnonzero(person & (keys > _LARGEST_NIK)))
        since = by_row(cells["since"], lambda iso: int(iso.replace("-", "")))
        for kept, column in ((self._records, "record_state"), (self._updates, "update_state")):
            stated = person & ~_equal(cells[column], NULL)
            kept.add(np.where(stated, keys, ABSENT), cells, since)
        return cells

    def _join_person(self, sheet: Sheet, cells: dict[str, Cells]) -> dict[str, Cells]:
        """Add the family's variables and the person's own state to each row."""
        niks, kks = keys_of(cells[MEMBER_KEY]), keys_of(cells[FAMILY_KEY])
        self._people.add(niks, {})
        families = self._families.find(kks)
        _warn(sheet, niks, kks, families, cells)
        records, updates = self._records.find(niks), self._updates.find(niks)
        stated = self._records.cells("record_state", records)
        state = pc.if_else(pc.equal(stated.values, NULL), "active", stated.values)
        return cells | {
            **{f"keluarga_{name}": self._families.cells(name, families) for name in COPIED},
            "record_state": Cells(state, stated.indices),
            "update_state": self._updates.cells("update_state", updates),
            "update_hold": self._updates.cells("hold", updates),
            "update_since": self._updates.cells("since", updates),
        }


def _warn(
    sheet: Sheet,
    niks: Keys,
    kks: Keys,
    families: Positions,
    cells: Mapping[str, Cells],
) -> None:
    """Count what is odd about people, and those whose family card leads nowhere."""
    for code, count in count_oddities(niks, cells["tanggal_lahir"], cells["jenis_kelamin"]).items():
        sheet.warn(code, MEMBER_KEY, count)
    missing = kks == ABSENT
    sheet.warn("kk-missing", FAMILY_KEY, int(missing.sum()))
    orphans = (families == ABSENT) & ~missing
    sheet.warn("member-without-family", FAMILY_KEY, int(orphans.sum()))


def _equal(cells: Cells, text: str) -> npt.NDArray[np.bool_]:
    """Find the rows that hold this text."""
    return by_row(cells, lambda value: int(value == text), null=int(text == NULL)).astype(bool)
