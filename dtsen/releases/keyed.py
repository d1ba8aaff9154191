"""Columns of one file kept in memory by key: to find repeated keys, and to copy into other rows.

A join in arrays, chunk by chunk: measured against COPY into a staging table and INSERT ... SELECT
(docs/operators/releases.md), it writes each row once, and costs memory by the key.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.cleaning import NULL, NULL_SCALAR, Cells, Positions

ABSENT = -1
"""Stands for a key that is missing or malformed; no key is negative."""

Keys = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.signedinteger]

_KK_LENGTHS = 10**16
_LONG = 16


def keys_of(cells: Cells) -> Keys:
    """Turn identity numbers of 15 or 16 digits into integers that are as distinct as they are.

    One of 15 digits must not meet the one of 16 that has a zero in front.
    """
    texts = cells.texts()
    known = pc.not_equal(texts, NULL_SCALAR)
    texts = pc.if_else(known, texts, None)
    numbers: Keys = texts.cast(pa.int64()).fill_null(ABSENT).to_numpy()
    short = pc.less(pc.binary_length(texts), _LONG)
    if pc.any(short).as_py():
        numbers = np.where(short.fill_null(fill_value=False), numbers + _KK_LENGTHS, numbers)
    return numbers


def by_row(cells: Cells, number: Callable[[str], int], null: int = ABSENT) -> Keys:
    """Number the rows of a column by their values, each distinct one once."""
    values = cells.values.to_pylist()
    table = np.array([null if text == NULL else number(text) for text in values], np.int64)
    return table if cells.indices is None else table[cells.indices]


class Keyed:
    """Rows by key. Fill it with `add`, `seal` it once, then `find` and `cells`."""

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self._keys: list[Keys] = []
        self._ranks: list[Keys] = []
        self._codes: dict[str, list[npt.NDArray[np.int32]]] = {name: [] for name in columns}
        self._values: dict[str, dict[str, int]] = {name: {NULL: 0} for name in self._codes}
        self._sorted: Keys = np.empty(0, np.int64)
        nothing = pa.array([NULL]), np.empty(0, np.int32)
        self._columns: dict[str, tuple[pa.StringArray, Numbers]] = dict.fromkeys(columns, nothing)

    def add(self, keys: Keys, columns: Mapping[str, Cells], ranks: Keys | None = None) -> None:
        """Add the rows of a chunk; of equal keys, `find` gives the last of the highest rank."""
        self._keys.append(keys)
        if ranks is not None:
            self._ranks.append(ranks)
        for name, codes in self._codes.items():
            codes.append(self._encode(name, columns[name]))

    def seal(self) -> Positions:
        """Sort what was added; give the positions, by order of addition, of repeated keys."""
        keys = np.concatenate([self._sorted, *self._keys])
        self._keys = []
        if not self._codes:  # places are only wanted where something repeats, which is rare
            self._sorted = np.sort(keys)
            if not _repeated(self._sorted).any():
                return np.empty(0, np.intp)
        ranks = np.concatenate(self._ranks) if self._ranks else None
        order = np.argsort(keys, kind="stable") if ranks is None else np.lexsort((ranks, keys))
        self._sorted = keys[order]
        for name, codes in self._codes.items():
            values = list(self._values[name])
            joined = np.concatenate([np.empty(0, np.int32), *codes])[order]
            self._columns[name] = pa.array(values), joined.astype(_narrowest(len(values)))
        self._codes, self._values = {}, {}
        return np.sort(order[1:][_repeated(self._sorted)])

    def find(self, keys: Keys) -> Positions:
        """Give the place of each key for `cells`, or ABSENT."""
        if not len(self._sorted):
            return np.full(len(keys), ABSENT)
        places = np.searchsorted(self._sorted, keys, side="right") - 1
        return np.where((self._sorted[places] == keys) & (keys != ABSENT), places, ABSENT)

    def cells(self, column: str, places: Positions) -> Cells:
        """Give a column for the rows found; null where nothing was."""
        values, numbers = self._columns[column]
        indices = np.zeros(len(places), np.int32)  # 0 stands for null
        found = places != ABSENT
        indices[found] = numbers[places[found]]
        return Cells(values, indices)

    def _encode(self, name: str, cells: Cells) -> npt.NDArray[np.int32]:
        """Number a chunk's values as all chunks of the column do."""
        known = self._values[name]
        numbers = [known.setdefault(text, len(known)) for text in cells.values.to_pylist()]
        table = np.array(numbers, np.int32)
        return table if cells.indices is None else table[cells.indices]


def _repeated(ordered: Keys) -> npt.NDArray[np.bool_]:
    """Tell for each sorted key but the first whether it is the one before it again."""
    again: npt.NDArray[np.bool_] = (ordered[1:] == ordered[:-1]) & (ordered[1:] != ABSENT)
    return again


def _narrowest(count: int) -> np.dtype[np.signedinteger]:
    """The smallest integer type that numbers so many values."""
    return next(np.dtype(t) for t in (np.int8, np.int16, np.int32) if count <= np.iinfo(t).max)
