"""One worker's numbers, in memory that outlives it.

A worker adds to float64 cells of a file mapped into its memory: no lock, no system call, about 0.1
microseconds. The file says what each cell means, so that whoever adds workers up needs nothing but
the file. While the worker lives it holds the file's lock (flock), which the kernel lets go of
however the worker ends; what it counted stays.

    8 bytes   length of the description, little-endian
    ...       description: JSON of `[[instrument, [[label value, ...], ...]], ...]`, padded to 8
    ...       float64 cells in this order, native byte order
"""

import fcntl
import json
import mmap
import os
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from dtsen.telemetry.instruments import Instrument

ENDING = ".numbers"

Labelled: TypeAlias = tuple[Instrument, tuple[tuple[str, ...], ...]]
"""An instrument and the label values of each of its series."""
Cells: TypeAlias = "memoryview[float] | array[float]"


class Counter:
    """A number that only grows."""

    __slots__ = ("_cells", "_place")

    def __init__(self, cells: Cells, place: int) -> None:
        self._cells = cells
        self._place = place

    def add(self, amount: float = 1) -> None:
        """Add to it."""
        self._cells[self._place] += amount

    @property
    def value(self) -> float:
        """What was counted."""
        return self._cells[self._place]


class Gauge:
    """A number that is set."""

    __slots__ = ("_cells", "_place")

    def __init__(self, cells: Cells, place: int) -> None:
        self._cells = cells
        self._place = place

    def set(self, value: float) -> None:
        """Set it."""
        self._cells[self._place] = value

    @property
    def value(self) -> float:
        """What it was set to."""
        return self._cells[self._place]


class Histogram:
    """Numbers sorted into buckets; `also` is told each of them too."""

    __slots__ = ("_bounds", "_cells", "_place", "_sum", "also")

    def __init__(self, cells: Cells, place: int, bounds: Sequence[float]) -> None:
        self._cells = cells
        self._place = place
        self._bounds = bounds
        self._sum = place + len(bounds) + 1
        self.also: Callable[[float], None] | None = None

    def observe(self, value: float) -> None:
        """Count one value in the first bucket whose bound it does not exceed."""
        cells = self._cells
        cells[self._place + bisect_left(self._bounds, value)] += 1
        cells[self._sum] += value
        if self.also is not None:
            self.also(value)


class Numbers:
    """The cells of some series; in a new file of a folder, or, without one, in memory alone.

    Only one thread may write, since an addition reads first.
    """

    def __init__(self, series: Iterable[Labelled], folder: Path | None) -> None:
        self._places: dict[tuple[Instrument, tuple[str, ...]], int] = {}
        self._histograms: dict[tuple[Instrument, tuple[str, ...]], Histogram] = {}
        described, width = [], 0
        for instrument, labels in series:
            described.append([asdict(instrument), labels])
            for values in labels:
                self._places[instrument, values] = width
                width += instrument.width
        self._file: int | None = None
        self._cells: Cells = array("d", bytes(8 * width))
        if folder is not None:
            self._cells = self._mapped(json.dumps(described).encode(), width, folder)

    def counter(self, instrument: Instrument, *values: str) -> Counter:
        """The counter of one series."""
        return Counter(self._cells, self._places[instrument, values])

    def gauge(self, instrument: Instrument, *values: str) -> Gauge:
        """The gauge of one series."""
        return Gauge(self._cells, self._places[instrument, values])

    def histogram(self, instrument: Instrument, *values: str) -> Histogram:
        """The histogram of one series; always the same object."""
        held = self._histograms.get((instrument, values))
        if held is None:
            place = self._places[instrument, values]
            held = Histogram(self._cells, place, instrument.bounds)
            self._histograms[instrument, values] = held
        return held

    def instruments(self) -> list[Instrument]:
        """The instruments that have series here."""
        return list(dict.fromkeys(instrument for instrument, _ in self._places))

    def values(self, instrument: Instrument) -> Iterator[tuple[tuple[str, ...], float]]:
        """Label values and number of each counter or gauge of an instrument."""
        for (kind, labels), place in self._places.items():
            if kind is instrument:
                yield labels, self._cells[place]

    def histograms(self, instrument: Instrument) -> Iterator[tuple[tuple[str, ...], Histogram]]:
        """Label values and histogram of each series of an instrument."""
        for (kind, labels), held in self._histograms.items():
            if kind is instrument:
                yield labels, held

    def close(self) -> None:
        """Let go of the lock: this worker counts no more."""
        if self._file is not None:
            # The mapping keeps a descriptor of its own, so that closing ours alone would not do.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = None

    def _mapped(self, description: bytes, width: int, folder: Path) -> "memoryview[float]":
        description += b" " * (-len(description) % 8)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        final = folder / f"{uuid4()}{ENDING}"
        draft = final.with_suffix(".draft")
        self._file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        start = 8 + len(description)
        os.write(self._file, struct.pack("<q", len(description)) + description + bytes(8 * width))
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Only now may it be seen: a file that nobody holds is taken for a dead worker's.
        draft.rename(final)
        return memoryview(mmap.mmap(self._file, start + 8 * width))[start:].cast("d")


def read(content: bytes) -> dict[tuple[Instrument, tuple[str, ...]], tuple[float, ...]]:
    """The numbers of a file by series."""
    (length,) = struct.unpack_from("<q", content)
    place, found = 8 + length, {}
    for members, labels in json.loads(content[8:place]):
        members |= {name: tuple(members[name]) for name in ("labels", "bounds")}
        instrument = Instrument(**members)
        for values in labels:
            key = instrument, tuple(values)
            found[key] = struct.unpack_from(f"={instrument.width}d", content, place)
            place += 8 * instrument.width
    return found
