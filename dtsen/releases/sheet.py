"""One file of a release as it is read: its columns cleaned, what is wrong with it reported."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dtsen.releases.cleaning import Cells, Column, Positions
from dtsen.releases.layout import File, fields
from dtsen.releases.report import Report
from dtsen.releases.sources import Chunk, Source


class Sheet:
    """Reads one file once. Positions count records from 0, over the file or over a chunk."""

    def __init__(self, file: File, path: Path, metadata_version: str, report: Report) -> None:
        own = fields(file, metadata_version)
        self.count = 0
        self._report = report
        self._source = Source(path, own, report)
        self._columns = [Column(field, metadata_version) for field in own]
        self._first = 0

    def __iter__(self) -> Iterator[tuple[int, dict[str, Cells]]]:
        """Give each chunk: its number of records and its columns, clean."""
        for chunk in self._source:
            self._first = chunk.first
            self.count = chunk.first + chunk.count
            cells = {column.field.name: self._clean(column, chunk) for column in self._columns}
            yield chunk.count, cells

    def _clean(self, column: Column, chunk: Chunk) -> Cells:
        name = column.field.name
        cleaned = column.clean(chunk.columns[name])
        for code, positions in cleaned.errors.items():
            self.refuse_here(code, name, positions)
        for code, count in cleaned.warnings.items():
            self.warn(code, name, count)
        if column.field.required:
            empty = np.setdiff1d(
                cleaned.nulls, np.concatenate([cleaned.nulls[:0], *cleaned.errors.values()])
            )
            self.refuse_here("missing-value", name, empty)
        return cleaned.cells

    def refuse_here(self, code: str, column: str, positions: Positions) -> None:
        """Report faulty records of the chunk at hand."""
        self.refuse(code, column, positions + self._first)

    def refuse(self, code: str, column: str, positions: Positions) -> None:
        """Report faulty records of the file."""
        if len(positions):
            rows = self._source.numbers(positions)
            self._report.refuse_rows(self._source.name, code, rows, column=column)

    def warn(self, code: str, column: str, count: int) -> None:
        """Count an oddity."""
        self._report.warn(self._source.name, code, count, column=column)

    def expect(self, count: int) -> None:
        """Compare the records read and left out with what the manifest says."""
        if self._source.whole and self.count + self._source.left_out != count:
            self._report.refuse(self._source.name, "row-count-differs")
