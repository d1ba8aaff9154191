"""All workers' numbers added up, as a page for Prometheus (text format 0.0.4).

Counters never fall while the parent lives: what a worker counted is kept when it ends, once. Gauges
are those of living workers alone.
"""

import fcntl
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from dtsen.telemetry.instruments import Instrument
from dtsen.telemetry.numbers import ENDING, read

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Series: TypeAlias = tuple[Instrument, tuple[str, ...]]
Sums: TypeAlias = dict[Series, tuple[float, ...]]


class Totals:
    """The numbers of all workers that keep them in one folder, which belongs to this object.

    Whatever an earlier run left in it is removed: make this before any worker starts.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.iterdir():
            left.unlink()
        self._folder = folder
        self._past: Sums = {}
        self._ended = 0
        self._lock = threading.Lock()

    def page(self) -> str:
        """The page."""
        with self._lock:
            living = self._read()
            sums = dict(self._past)
            for one in living:
                _add(sums, one)
            started = self._ended + len(living)
        lines = [
            *_written("dtsen_workers", "gauge", "Living workers.", [("", len(living))]),
            *_written("dtsen_worker_starts_total", "counter", "Workers begun.", [("", started)]),
        ]
        by_instrument: dict[Instrument, list[tuple[tuple[str, ...], tuple[float, ...]]]] = {}
        for (instrument, values), numbers in sums.items():
            by_instrument.setdefault(instrument, []).append((values, numbers))
        for instrument, series in by_instrument.items():
            kind = {"level": "gauge", "age": "gauge"}.get(instrument.kind, instrument.kind)
            lines += _written(
                instrument.page_name, kind, instrument.help, _lines(instrument, series)
            )
        return "\n".join(lines) + "\n"

    def _read(self) -> list[Sums]:
        living = []
        for path in self._folder.glob(f"*{ENDING}"):
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    living.append(read(file.read()))
                    continue
                # Nobody holds it: its worker has ended. Count it once, whatever happens next.
                path.unlink()
                ended = read(file.read())
                _add(self._past, {k: v for k, v in ended.items() if k[0].kind in _KEPT})
                self._ended += 1
        return living


_KEPT = {"counter", "histogram"}


def _add(sums: Sums, more: Sums) -> None:
    for key, numbers in more.items():
        held = sums.get(key)
        if key[0].kind == "age":
            age = time.monotonic() - numbers[0]
            sums[key] = (max(age, *held) if held else age,)
        else:
            sums[key] = tuple(map(sum, zip(held, numbers, strict=True))) if held else numbers


def _lines(
    instrument: Instrument, series: Iterable[tuple[tuple[str, ...], tuple[float, ...]]]
) -> Iterator[tuple[str, float]]:
    """What follows a metric's name, and its value."""
    for values, numbers in series:
        said = [f'{n}="{v}"' for n, v in zip(instrument.labels, values, strict=True)]
        if instrument.kind != "histogram":
            yield _labels(said), numbers[0]
            continue
        *buckets, total = numbers
        count = 0.0
        for bound, one in zip((*instrument.bounds, "+Inf"), buckets, strict=True):
            count += one
            yield "_bucket" + _labels([*said, f'le="{bound}"']), count
        yield "_sum" + _labels(said), total
        yield "_count" + _labels(said), count


def _labels(said: list[str]) -> str:
    return "{" + ",".join(said) + "}" if said else ""


def _written(name: str, kind: str, told: str, values: Iterable[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"
    for rest, value in values:
        yield f"{name}{rest} {value:.17g}"
