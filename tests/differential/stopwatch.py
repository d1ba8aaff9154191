"""Whether two kinds of request take the same time, found out in interleaved pairs.

Two clocks are read around each call. The wall clock is what a caller sees, and on a busy machine
sees little; the other counts the work done for the call: processor time of this process and of the
database's sessions behind it, which another load hardly touches.
"""

import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import psycopg

PAIRS = 200
MOST_ROUNDS = 8
"""Of so many pairs; another one only where the last left too much doubt, as on a busy machine."""
TELLING = 100e-6
"""Seconds; half of the difference that must be found."""
SURE = 4
"""Standard errors."""
DOUBT = 75e-6
"""Seconds that this many may be: with TELLING less than what must be found."""

Clocks = Callable[[], tuple[float, float]]


@dataclass(frozen=True)
class Difference:
    """By how much one kind takes longer than the other on a clock: seconds and standard error."""

    clock: str
    seconds: float
    error: float
    pairs: int

    @property
    def told(self) -> bool:
        """Whether a caller could tell the kinds apart."""
        return abs(self.seconds) - SURE * self.error > TELLING

    def __str__(self) -> str:
        return f"{self.clock} {self.seconds * 1e6:+.0f} us (+/- {self.error * 1e6:.0f})"


@contextmanager
def clocks(owner: psycopg.Connection) -> Iterator[Clocks]:
    """The wall clock and the work of this process and of the application's sessions, in seconds."""
    sessions = owner.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name IN ('dtsen-gate', 'dtsen-api')"
    ).fetchall()
    paths = [Path(f"/proc/{pid}/schedstat") for (pid,) in sessions]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in paths if path.exists()]

        def read() -> tuple[float, float]:
            work = time.process_time_ns()
            for file in files:
                file.seek(0)
                work += int(file.read().split()[0])
            return time.perf_counter(), work / 1e9

        yield read


async def measure(
    read: Clocks, one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]]
) -> Sequence[Difference]:
    """How much longer `one` takes, on each clock."""
    chance = Random(1)  # noqa: S311 - not for secrets
    taken: dict[object, list[tuple[float, float]]] = {one: [], other: []}
    for call in (one, other) * 10:
        await call()
    gc.collect()
    gc.disable()
    try:
        for number in range(1, MOST_ROUNDS * PAIRS + 1):
            for call in chance.sample((one, other), 2):
                before = read()
                await call()
                after = read()
                taken[call].append((after[0] - before[0], after[1] - before[1]))
            if number % PAIRS == 0:
                found = _differences(np.array(taken[one]) - np.array(taken[other]))
                if SURE * found[-1].error < DOUBT:
                    break
    finally:
        gc.enable()
    return found


def _differences(pairs: np.ndarray) -> Sequence[Difference]:
    return [_difference(name, pairs[:, place]) for place, name in enumerate(("wall", "work"))]


def _difference(clock: str, pairs: np.ndarray) -> Difference:
    """The median, which no straggler moves, and its standard error by the median deviation."""
    middle = float(np.median(pairs))
    spread = 1.4826 * float(np.median(np.abs(pairs - middle)))
    return Difference(clock, middle, 1.2533 * spread / np.sqrt(len(pairs)), len(pairs))
