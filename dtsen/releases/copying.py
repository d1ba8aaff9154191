"""Columns of a chunk written as lines of COPY's text format, by arrays.

Neighbouring columns of few values are joined by their distinct values first and written as one: of
fifty columns of codes a dozen remain to be written row by row.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.cleaning import Cells, numbers

_FEW = 16  # rows for each distinct value of joined columns, at least

_TAB, _END, _NOTHING = pa.scalar("\t"), pa.scalar("\n"), pa.scalar("")


def lines(columns: Sequence[Cells]) -> memoryview:
    """Write the rows; what is returned is the array's own buffer, not a copy of it."""
    texts = [cells.texts() for cells in _joined(columns)]
    last = pc.binary_join_element_wise(texts[-1], _NOTHING, _END)
    rows = pc.binary_join_element_wise(*texts[:-1], last, _TAB)
    offsets = np.frombuffer(rows.buffers()[1], np.int32)
    start, end = offsets[rows.offset], offsets[rows.offset + len(rows)]
    return memoryview(rows.buffers()[2])[start:end]


def _joined(columns: Sequence[Cells]) -> Iterator[Cells]:
    """Join runs of columns whose combinations stay few."""
    current = columns[0]
    most = len(current.values if current.indices is None else current.indices) // _FEW
    for following in columns[1:]:
        pair = _pair(current, following, most)
        if pair is None:
            yield current
        current = pair or following
    yield current


def _pair(left: Cells, right: Cells, most: int) -> Cells | None:
    """Make one column of two, if both are numbered and their combinations are few."""
    width = len(right.values)
    if left.indices is None or right.indices is None or len(left.values) * width > most:
        return None
    every = np.arange(len(left.values) * width, dtype=np.int32)
    values = pc.binary_join_element_wise(
        left.values.take(numbers(every // width)),
        right.values.take(numbers(every % width)),
        _TAB,
    )
    return Cells(values, left.indices * np.int32(width) + right.indices)
