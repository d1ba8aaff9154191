"""Release files read in chunks: Parquet or CSV, every column as bytes, rows numbered.

Nothing is interpreted here but the container: types of a Parquet file become the text that a CSV
would hold, and a CSV record with too many or too few cells is reported and left out.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from dtsen.releases.cleaning import UNREPEATED
from dtsen.releases.layout import Field
from dtsen.releases.report import Report

CHUNK = 1 << 16  # rows of a Parquet chunk: some ten megabytes, whatever the row groups are
_BLOCK = 1 << 24  # bytes of a CSV chunk; also the longest record

_ENCODED = pa.dictionary(pa.int32(), pa.binary())
_SHORT = 100  # characters of texts that repeat: names of places, schools and trades

_COUNTED = frozenset({"code", "yes_no", "integer", "decile", "score"})
_TEXTUAL = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records: the first one's position (from 0), and bytes by column (null: empty)."""

    first: int
    count: int
    columns: dict[str, pa.Array]


class Source:
    """One file, read once from its beginning to its end."""

    def __init__(self, path: Path, fields: Sequence[Field], report: Report) -> None:
        self.name = path.name
        self._path = path
        self._fields = fields
        self._report = report
        self._left_out: list[int] = []
        self._accepted = True
        self.whole = False
        """Whether the file was read to its end."""

    def __iter__(self) -> Iterator[Chunk]:
        """Read chunk by chunk; a file that cannot be read is a fault and ends it.

        Columns that may be missing and are come as nulls.
        """
        read = self._parquet if self._path.suffix == ".parquet" else self._csv
        done = 0
        try:
            for columns in read():
                count = len(next(iter(columns.values())))
                for field in self._fields:
                    columns.setdefault(field.name, pa.nulls(count, pa.binary()))
                yield Chunk(done, count, columns)
                done += count
            self.whole = self._accepted
        except (pa.ArrowException, OSError, csv.Error):
            row = self.numbers(np.array([done]))
            self._report.refuse_rows(self.name, "unreadable-file", row, column=None)

    @property
    def left_out(self) -> int:
        """How many records were reported and left out so far."""
        return len(self._left_out)

    def numbers(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the row numbers in the file of records counted from 0 without those left out."""
        before = np.array(self._left_out, np.int64) - np.arange(len(self._left_out))
        return positions + 1 + np.searchsorted(before, positions + 1, side="right")

    def _accept(self, faults: Sequence[tuple[str, str]]) -> bool:
        for code, column in faults:
            self._report.refuse(self.name, code, column=column)
        self._accepted = not faults
        return self._accepted

    def _parquet(self) -> Iterator[dict[str, pa.Array]]:
        repeated = [field.name for field in self._fields if _repeats(field)]
        with pq.ParquetFile(self._path, memory_map=True, read_dictionary=repeated) as file:
            schema = file.schema_arrow
            if not self._accept([*_header_faults(schema.names, self._fields)]):
                return
            present = [field for field in self._fields if field.name in schema.names]
            types = ((field, schema.field(field.name).type) for field in present)
            unfit = [("not-text", field.name) for field, kind in types if not _fits(field, kind)]
            if not self._accept(unfit):
                return
            names = [field.name for field in present]
            # Group by group: encoded columns are cut where groups meet, into chunks too small.
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(CHUNK, row_groups=[group], columns=names):
                    yield {name: _as_bytes(batch.column(name)) for name in names}

    def _csv(self) -> Iterator[dict[str, pa.Array]]:
        # What is no UTF-8 makes an unknown column, or lies behind the header and is found there.
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file), [])
        if not self._accept([*_header_faults(names, self._fields)]):
            return
        told = 0
        with self._open_csv() as reader:
            for batch in reader:
                told = self._tell_left_out(told)
                yield dict(zip(names, batch.columns, strict=True))
        self._tell_left_out(told)

    def _open_csv(self) -> pacsv.CSVStreamingReader:
        def leave_out(row: pacsv.InvalidRow) -> str:
            self._left_out.append(row.number - 1)  # the header is its row 1
            return "skip"

        return pacsv.open_csv(
            self._path,
            # Rows are only numbered by one thread.
            read_options=pacsv.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True,
                invalid_row_handler=leave_out,
            ),
            convert_options=pacsv.ConvertOptions(
                check_utf8=False,  # checked cell by cell, to name the row
                column_types={
                    field.name: _ENCODED if _repeats(field) else pa.binary()
                    for field in self._fields
                },
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _tell_left_out(self, told: int) -> int:
        rows = self._left_out[told:]
        self._report.refuse_rows(self.name, "wrong-number-of-cells", rows, column=None)
        return len(self._left_out)


def _header_faults(names: Sequence[str], fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """Compare a header with the columns that the file must and may have: code and column.

    A column we do not know goes by its place: what stands there may be data, in a file without a
    header.
    """
    known = {field.name for field in fields}
    for field in fields:
        if names.count(field.name) > 1:
            yield "duplicate-column", field.name
        if field.name not in names and not field.optional:
            yield "missing-column", field.name
    for place, name in enumerate(names, 1):
        if name not in known:
            yield "unknown-column", f"#{place}"


def _repeats(field: Field) -> bool:
    """Whether a column of a chunk is likely to hold few distinct values, and is read encoded."""
    long = field.length is not None and field.length > _SHORT
    return field.kind not in UNREPEATED and field.kind != "date" and not long


def _fits(field: Field, kind: pa.DataType) -> bool:
    """Whether a Parquet type has one text a value; a float holds counts, but not 16 digits."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        return field.kind in _COUNTED
    return any(fits(kind) for fits in _TEXTUAL)


def _as_bytes(array: pa.Array) -> pa.Array:
    """Give bytes, encoded where they come so; UTF-8 is checked cell by cell, to name the row."""
    if pa.types.is_dictionary(array.type):
        values = _as_bytes(array.dictionary)
        return pa.DictionaryArray.from_arrays(array.indices, values)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.date32())
    return array.cast(pa.string()).cast(pa.binary())
