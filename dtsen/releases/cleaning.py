"""Reading a column of a chunk at once, by its distinct values or past those already clean.

Columns of codes, dates and names repeat a few values: each distinct one is read once
(`dtsen.releases.cells`) and the rows follow by index. Identity numbers do not repeat: those that
already have their form are taken as they are, and the others are read one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.cells import Cell, reading
from dtsen.releases.layout import Field, FieldKind

NULL = "\\N"
"""How COPY's text format writes null."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_REMEMBERED = 1 << 16  # distinct values of a column that are not read again

# Forms that need no reading, in RE2 (no look-ahead, so zeros in front take the long way).
_DIGITS_16 = "^[1-9][0-9]{15}$"
_CLEAN: Mapping[FieldKind, str] = MappingProxyType(
    {
        "nik": _DIGITS_16,
        "kk": _DIGITS_16,
        "subject_id": _DIGITS_16,
        "id_dtks": "^[0-9]{16}$",
        "id_art_dtks": "^[0-9]{18}$",
        "idsemesta": "^[0-9A-Za-z-]{1,64}$",
        "legacy_id": "^[0-9A-Za-z-]{1,64}$",
        # Printable ASCII without a backslash, from a letter to no space.
        "text": r"^[A-Za-z](?:[ -\[\]-~]*[!-\[\]-~])?$",
    },
)
_UNREPEATED = frozenset(
    {"nik", "kk", "subject_id", "id_dtks", "id_art_dtks", "idsemesta", "legacy_id"},
)

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of a chunk, as COPY's text format wants each value (escaped, without nulls).

    Row i holds `values[indices[i]]`, or `values[i]` where there are no indices.
    """

    values: pa.StringArray
    indices: npt.NDArray[np.int32] | None

    def texts(self) -> pa.StringArray:
        """Give one text a row."""
        return self.values if self.indices is None else self.values.take(pa.array(self.indices))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A column read: its cells, rows (from 0) by fault, counts by oddity, and the empty rows."""

    cells: Cells
    errors: Mapping[str, Positions]
    warnings: Mapping[str, int]
    empty: Positions


class Column:
    """Reads one column of a file, chunk by chunk."""

    def __init__(self, field: Field, metadata_version: str) -> None:
        self.field = field
        self._read = lru_cache(_REMEMBERED)(reading(field, metadata_version))

    def clean(self, written: pa.BinaryArray) -> Cleaned:
        """Read the cells of a chunk (bytes as they stand in the file, or null)."""
        if self.field.kind in _UNREPEATED:
            distinct, indices = written, None
        else:
            encoded = written.dictionary_encode()
            distinct, indices = encoded.dictionary, encoded.indices
        text, errors = _decode(distinct)
        text, found, odd = self._clean_distinct(text)
        errors |= found
        absent = np.flatnonzero(text.is_null().to_numpy(zero_copy_only=False))
        values = text.fill_null(NULL)
        if indices is None:
            return _judged(Cells(values, None), errors, odd, absent)
        # One more value, for the rows that are null in the file.
        filled = indices.fill_null(len(values)).to_numpy()
        values = pa.concat_arrays([values, pa.array([NULL])])
        absent = np.append(absent, len(values) - 1)
        return _judged(Cells(values, filled), errors, odd, absent)

    def _clean_distinct(
        self,
        text: pa.StringArray,
    ) -> tuple[pa.StringArray, dict[str, Positions], dict[str, Positions]]:
        """Read each text; give those to store, and where a fault or an oddity was found."""
        unread = self._unread(text)
        if not len(unread):
            return text, {}, {}
        cells = [self._read(written) for written in text.take(pa.array(unread)).to_pylist()]
        stored = [None if cell.value is None else cell.value.translate(_ESCAPES) for cell in cells]
        mask = np.zeros(len(text), dtype=bool)
        mask[unread] = True
        text = pc.replace_with_mask(text, pa.array(mask), pa.array(stored, pa.string()))
        return text, _where(unread, cells, "error"), _where(unread, cells, "warning")

    def _unread(self, text: pa.StringArray) -> Positions:
        """Find the texts (not null) that are not known to be clean."""
        present = text.is_valid()
        if pattern := _CLEAN.get(self.field.kind):
            clean = pc.match_substring_regex(text, pattern)
            if self.field.length is not None:
                short = pc.less_equal(pc.binary_length(text), self.field.length)
                clean = pc.and_(clean, short)
            present = pc.and_not(present, clean.fill_null(fill_value=True))
        return np.flatnonzero(present.to_numpy(zero_copy_only=False))


def _decode(distinct: pa.BinaryArray) -> tuple[pa.StringArray, dict[str, Positions]]:
    """Take bytes as UTF-8; what is not becomes null and a fault."""
    try:
        return distinct.cast(pa.string()), {}
    except pa.ArrowInvalid:
        texts = [None if raw is None else _utf8(raw) for raw in distinct.to_pylist()]
    text = pa.array(texts, pa.string())
    bad = pc.and_(distinct.is_valid(), text.is_null())
    return text, {"bad-utf8": np.flatnonzero(bad.to_numpy(zero_copy_only=False))}


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _where(read: Positions, cells: list[Cell], attribute: str) -> dict[str, Positions]:
    """Sort the positions of what was read by the code found there."""
    found: dict[str, list[int]] = {}
    for position, cell in enumerate(cells):
        if code := getattr(cell, attribute):
            found.setdefault(code, []).append(position)
    return {code: read[positions] for code, positions in found.items()}


def _judged(
    cells: Cells,
    errors: Mapping[str, Positions],
    odd: Mapping[str, Positions],
    absent: Positions,
) -> Cleaned:
    """Turn positions among the distinct values into rows and counts of rows."""
    if cells.indices is None:
        rows = dict(errors)
        counts = {code: len(positions) for code, positions in odd.items()}
        empty = absent
    else:
        indices = cells.indices
        times = np.bincount(indices, minlength=len(cells.values))
        rows = {code: _rows(indices, positions) for code, positions in errors.items()}
        counts = {code: int(times[positions].sum()) for code, positions in odd.items()}
        empty = _rows(indices, absent) if times[absent].any() else absent[:0]
    faulty = [position for positions in rows.values() for position in positions]
    return Cleaned(cells, rows, counts, np.setdiff1d(empty, faulty) if faulty else empty)


def _rows(indices: npt.NDArray[np.int32], positions: Positions) -> Positions:
    """Find the rows that hold one of these distinct values."""
    return np.flatnonzero(np.isin(indices, positions))
