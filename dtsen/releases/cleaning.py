"""Reading a column of a chunk at once, by its distinct values or past those already clean.

Columns of codes, dates and names repeat a few values: each distinct one is read once
(`dtsen.releases.cells`) and the rows follow by index. Identity numbers do not repeat: those that
already have their form are taken as they are, and the others are read one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

# Made once: Arrow looks for optional packages whenever it takes a Python value over.
NULL_SCALAR = pa.scalar(NULL)
_NULLS = pa.array([NULL])
_TRUE = pa.scalar(value=True)

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
        # Days that every month has; the last ones take the long way.
        "date": "^(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])$",
        "idsemesta": "^[0-9A-Za-z-]{1,64}$",
        "legacy_id": "^[0-9A-Za-z-]{1,64}$",
        # Digits alone, or printable ASCII without a backslash, from a letter to no space.
        "text": r"^(?:[0-9]+|[A-Za-z](?:[ -\[\]-~]*[!-\[\]-~])?)$",
    },
)
UNREPEATED: frozenset[FieldKind] = frozenset(
    {"nik", "kk", "subject_id", "id_dtks", "id_art_dtks", "idsemesta", "legacy_id"},
)

Positions = npt.NDArray[np.intp]


def numbers(indices: npt.NDArray[np.signedinteger]) -> pa.Int32Array:
    """Take indices over into Arrow as they are; `pa.array` looks for pandas at every call."""
    buffer = pa.py_buffer(np.ascontiguousarray(indices, np.int32))
    return pa.Int32Array.from_buffers(pa.int32(), len(indices), [None, buffer])


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of a chunk, as COPY's text format wants each value (escaped, without nulls).

    Row i holds `values[indices[i]]`, or `values[i]` where there are no indices.
    """

    values: pa.StringArray
    indices: npt.NDArray[np.int32] | None

    def texts(self) -> pa.StringArray:
        """Give one text a row."""
        return self.values if self.indices is None else self.values.take(numbers(self.indices))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A column read: its cells, rows (from 0) by fault, counts by oddity, rows stored as null.

    `nulls` is told of required columns alone, and holds faulty rows too.
    """

    cells: Cells
    errors: Mapping[str, Positions]
    warnings: Mapping[str, int]
    nulls: Positions


class Column:
    """Reads one column of a file, chunk by chunk."""

    def __init__(self, field: Field, metadata_version: str) -> None:
        self.field = field
        self._length = None if field.length is None else pa.scalar(field.length, pa.int32())
        read = reading(field, metadata_version)

        def stored(written: str) -> Cell:
            cell = read(written)
            return (
                cell if cell.value is None else replace(cell, value=cell.value.translate(_ESCAPES))
            )

        self._read = lru_cache(_REMEMBERED)(stored)

    def clean(self, written: pa.Array) -> Cleaned:
        """Read the cells of a chunk: bytes as they stand in the file, or null; plain or encoded."""
        if self.field.kind in UNREPEATED:
            distinct, indices = written, None
        else:
            encoded = _encoded(written)
            distinct, indices = encoded.dictionary, encoded.indices
        text, errors = _decode(distinct)
        text, found, odd = self._clean_distinct(text)
        errors |= found
        absent = np.flatnonzero(text.is_null().to_numpy(zero_copy_only=False))
        values = text.fill_null(NULL_SCALAR)
        if indices is None:
            return Cleaned(Cells(values, None), errors, _lengths(odd), absent)
        # One more value, for the rows that are null in the file.
        filled = indices.fill_null(len(values)).to_numpy()
        values = pa.concat_arrays([values, _NULLS])
        absent = np.append(absent, len(values) - 1)
        times = np.bincount(filled, minlength=len(values))
        return Cleaned(
            Cells(values, filled),
            {code: _rows(filled, positions) for code, positions in errors.items()},
            {code: int(times[positions].sum()) for code, positions in odd.items()},
            _rows(filled, absent) if self.field.required else absent[:0],
        )

    def _clean_distinct(
        self,
        text: pa.StringArray,
    ) -> tuple[pa.StringArray, dict[str, Positions], dict[str, Positions]]:
        """Read each text; give those to store, and where a fault or an oddity was found."""
        unread = self._unread(text)
        if not len(unread):
            return text, {}, {}
        cells = [self._read(written) for written in text.take(numbers(unread)).to_pylist()]
        stored = [cell.value for cell in cells]
        mask = np.zeros(len(text), dtype=bool)
        mask[unread] = True
        text = pc.replace_with_mask(text, pa.array(mask), pa.array(stored, pa.string()))
        return text, _where(unread, cells, "error"), _where(unread, cells, "warning")

    def _unread(self, text: pa.StringArray) -> Positions:
        """Find the texts (not null) that are not known to be clean."""
        present = text.is_valid()
        if pattern := _CLEAN.get(self.field.kind):
            clean = pc.match_substring_regex(text, pattern)
            if self._length is not None:
                short = pc.less_equal(pc.binary_length(text), self._length)
                clean = pc.and_(clean, short)
            present = pc.and_not(present, clean.fill_null(_TRUE))
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


def _encoded(written: pa.Array) -> pa.DictionaryArray:
    """Number the distinct values; a dictionary of more than this chunk's is made anew."""
    if pa.types.is_dictionary(written.type) and len(written.dictionary) > len(written):
        written = written.dictionary_decode()
    return written.dictionary_encode()


def _lengths(found: Mapping[str, Positions]) -> dict[str, int]:
    return {code: len(positions) for code, positions in found.items()}


def _rows(indices: npt.NDArray[np.int32], positions: Positions) -> Positions:
    """Find the rows that hold one of these distinct values."""
    if not len(positions):
        return positions
    wanted = np.zeros(indices.max() + 1, dtype=bool)
    wanted[positions[positions < len(wanted)]] = True
    return np.flatnonzero(wanted[indices])
