"""What is counted: each instrument with its unit, its labels, and how workers are added up.

No label names or counts a person, an agency, a client or an address: labels take their values from
closed lists (`words.py`), so that a page of metrics holds nothing that a caller sent.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "histogram", "level", "age"]
"""`level`: a gauge, summed over living workers. `age`: a monotonic instant, told as the greatest
number of seconds since, over living workers, so that it grows while a worker hangs."""

_SUFFIXES = {"s": "_seconds"}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric; `bounds` are a histogram's upper bounds, `unit` one of UCUM."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    unit: str = "1"

    @property
    def width(self) -> int:
        """How many numbers a series of it takes: a histogram's buckets, the last open, and sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1

    @property
    def page_name(self) -> str:
        """Its name in Prometheus's writing."""
        total = "_total" if self.kind == "counter" else ""
        return self.name.replace(".", "_") + _SUFFIXES.get(self.unit, "") + total


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Instrument(
    "dtsen.requests",
    "counter",
    "Answers by operation and class of status.",
    labels=("operation", "status"),
)
DURATION = Instrument(
    "dtsen.request.duration",
    "histogram",
    "From a request's arrival at its route to its finished answer.",
    labels=("operation",),
    bounds=_SECONDS,
    unit="s",
)
PEOPLE = Instrument(
    "dtsen.people.disclosed",
    "counter",
    "People in recorded answers, by operation.",
    labels=("operation",),
)
REFUSALS = Instrument(
    "dtsen.refusals", "counter", "Refusals by error code (docs/contract.md 5).", labels=("code",)
)
BATCH = Instrument(
    "dtsen.gate.batch.size",
    "histogram",
    "Questions that the gate read and recorded together.",
    bounds=(1, 2, 5, 10, 20, 50, 100, 200),
)
WAITING = Instrument("dtsen.gate.waiting", "level", "Questions in the gate's queue.")
COMMIT = Instrument(
    "dtsen.gate.commit.duration",
    "histogram",
    "The recording statement and its commit.",
    bounds=_SECONDS,
    unit="s",
)
AUTHORITY = Instrument(
    "dtsen.authority.age", "age", "Since authority was last read; above 1 s we refuse.", unit="s"
)
MERGING = Instrument(
    "dtsen.log.merge.delay",
    "age",
    "Age of the oldest record that is not merged; above 10 s no batches, above 30 s no reads.",
    unit="s",
)

INSTRUMENTS = (REQUESTS, DURATION, PEOPLE, REFUSALS, BATCH, WAITING, COMMIT, AUTHORITY, MERGING)
