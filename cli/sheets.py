"""Tables of agencies: one column read from CSV, XLSX or Parquet as text; rows written as either.

Legacy ids are text. A spreadsheet that keeps them as numbers has lost digits beyond the fifteenth;
such a cell is read as the spreadsheet shows it (1.23E+15), so that whoever reads it can tell.
"""

import csv
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pyarrow as pa
from openpyxl import Workbook, load_workbook
from pyarrow import parquet

EXACT_DIGITS = 15
"""Digits that a spreadsheet's number keeps (IEEE 754 double, as Excel shows it)."""


class SheetInvalid(ValueError):
    """A file that cannot be read so; the text says why, and repeats no cell."""


def read_column(path: Path, column: str | None) -> list[str]:
    """The cells of one column as text, empty ones as empty text; the only column if unnamed.

    Raises:
        SheetInvalid: the format is unknown, the file is broken, or there is no such column.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise SheetInvalid(f"{path.suffix or 'no suffix'}: .csv, .xlsx or .parquet is needed")
    try:
        return read(path, column)
    except (
        OSError,
        UnicodeDecodeError,
        csv.Error,
        BadZipFile,
        pa.ArrowException,
        KeyError,
    ) as error:
        raise SheetInvalid(f"{path} cannot be read: {type(error).__name__}") from None


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows of text in the format of the file's suffix, readable by their owner alone.

    Raises:
        SheetInvalid: the format is unknown.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise SheetInvalid(f"{path.suffix or 'no suffix'}: .csv, .xlsx or .parquet is needed")
    draft = path.with_name(f".{path.name}.draft{path.suffix}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    write(draft, header, rows)
    draft.replace(path)


def _position(header: Sequence[object], column: str | None) -> int:
    names = [str(name) for name in header]
    if column is None:
        if len(names) == 1:
            return 0
        raise SheetInvalid(f"several columns: --column says which of {', '.join(names)}")
    if names.count(column) != 1:
        raise SheetInvalid(f"no column (or several) of that name among {', '.join(names)}")
    return names.index(column)


def _read_csv(path: Path, column: str | None) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, strict=True)
        place = _position(next(rows, []), column)
        return [row[place] if place < len(row) else "" for row in rows]


def _read_xlsx(path: Path, column: str | None) -> list[str]:
    book = load_workbook(path, read_only=True, data_only=True)
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        place = _position([name for name in next(rows, ()) if name is not None], column)
        return [_cell(row[place]) if place < len(row) else "" for row in rows]
    finally:
        book.close()


def _read_parquet(path: Path, column: str | None) -> list[str]:
    names = parquet.read_schema(path).names
    name = names[_position(names, column)]
    return [_cell(value) for value in parquet.read_table(path, columns=[name])[name].to_pylist()]


def _cell(value: object) -> str:
    """A cell as text; a number of too many digits as a spreadsheet shows it."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = int(value)
        if len(str(abs(whole))) > EXACT_DIGITS:
            return f"{value:.5E}"
        return str(whole) if whole == value else str(value)
    return str(value)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("dtsen")
    sheet.append(list(header))
    for row in rows:
        sheet.append(list(row))
    book.save(path)


def _write_parquet(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    columns = list(zip(*rows, strict=True)) or [() for _ in header]
    table = {
        name: pa.array(cells, pa.string()) for name, cells in zip(header, columns, strict=True)
    }
    parquet.write_table(pa.table(table), path)


_READERS: Mapping[str, Callable[[Path, str | None], list[str]]] = {
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".parquet": _read_parquet,
}
_WRITERS: Mapping[str, Callable[[Path, Sequence[str], Iterable[Sequence[str]]], Any]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".parquet": _write_parquet,
}
