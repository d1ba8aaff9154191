"""Interleaved rounds and paired ratios.

Every configuration is measured once in every round, and ratios are taken within a round: what else
the machine does in those seconds slows both sides alike. Rounds run forth and back in turn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench.progress import steps


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: things a second, latencies in ms, CPU microseconds a thing by process."""

    rate: float
    p50: float = float("nan")
    p99: float = float("nan")
    cpu: Mapping[str, float] = field(default_factory=dict)


Series = Mapping[str, Sequence[Measured]]
"""Measurements by configuration, in the order of the rounds."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two configurations, taken round by round; `goal` where one was set."""

    name: str
    of: str
    to: str
    rounds: tuple[float, ...]
    goal: float | None = None
    at_most: bool = False

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.rounds)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None where there is none."""
        if self.goal is None:
            return None
        return self.median <= self.goal if self.at_most else self.median >= self.goal

    def document(self) -> dict[str, Any]:
        """As it is written to a result file."""
        figures = {"median": self.median, "min": min(self.rounds), "max": max(self.rounds)}
        return asdict(self) | figures | {"met": self.met}


def interleave(
    title: str, configurations: Mapping[str, Callable[[], Measured]], rounds: int
) -> Series:
    """Measure every configuration in every round."""
    series: dict[str, list[Measured]] = {name: [] for name in configurations}
    order = list(configurations)
    with steps(title) as told:
        for number in range(rounds):
            for place, name in enumerate(order if number % 2 == 0 else reversed(order)):
                done = number * len(order) + place
                told(f"round {number + 1}, {name}", done, rounds * len(order))
                series[name].append(configurations[name]())
    return series


def paired(name: str, series: Series, of: str, to: str, *, goal: float | None = None) -> Ratio:
    """The ratio of two configurations' rates within each round."""
    pairs = zip(series[of], series[to], strict=True)
    return Ratio(name, of, to, tuple(one.rate / other.rate for one, other in pairs), goal)


def paired_cpu(name: str, series: Series, of: str, to: str, process: str) -> Ratio:
    """How much CPU time of a process `to` takes for each that `of` takes, within each round.

    The share of the baseline's speed that is left to a process which has a processor to itself:
    steadier than a ratio of rates where other work shares the machine.
    """
    pairs = zip(series[of], series[to], strict=True)
    return Ratio(name, of, to, tuple(other.cpu[process] / one.cpu[process] for one, other in pairs))
