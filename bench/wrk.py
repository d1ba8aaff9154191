"""Driving an HTTP server with wrk: one thread, closed loop; every answer must be a 200."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INSTALL = "apt-get install --yes wrk"
SCRIPT = Path(__file__).with_name("wrk.lua")
REQUESTS = Path(__file__).with_name("requests.lua")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Driven:
    """What wrk saw: requests, over how many seconds, latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


class WrongAnswers(RuntimeError):
    """The server refused or failed some requests: their speed says nothing."""


def find_wrk() -> str:
    """The program, installed by apt where we are root.

    Raises:
        SystemExit: it is missing; the line to run is said.
    """
    if shutil.which("wrk") is None and shutil.which("apt-get"):
        subprocess.run(INSTALL.split(), check=False, capture_output=True)  # noqa: S603 - our words
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit(f"wrk is needed; as root: {INSTALL}")
    return found


def drive(
    url: str,
    *,
    connections: int,
    seconds: float,
    people: Sequence[Path | int] = (),
    script: Path = SCRIPT,
) -> Driven:
    """Ask for some seconds; `people` are the arguments of the script, none: plain GET.

    Raises:
        WrongAnswers: not all was answered with success.
    """
    scripted = ("--script", str(script)) if people else ()
    arguments = ("--", *map(str, people)) if people else ()
    done = subprocess.run(  # noqa: S603 - wrk itself
        [
            *(find_wrk(), "--threads=1", f"--connections={connections}"),
            *(f"--duration={round(seconds)}s", "--timeout=10s", "--latency"),
            *(*scripted, url, *arguments),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return read(done.stdout)


def read(text: str) -> Driven:
    """What wrk prints.

    Raises:
        WrongAnswers: it tells of answers other than 2xx, or of broken connections.
    """
    if "Non-2xx" in text or "Socket errors" in text:
        raise WrongAnswers(text)
    requests, took = re.search(r"(\d+) requests in ([\d.]+\w+)", text).groups()  # type: ignore[union-attr]  # wrk always says it
    return Driven(
        int(requests), _milliseconds(took) / 1000, _percentile(text, 50), _percentile(text, 99)
    )


def _percentile(text: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+\w+)", text)
    return _milliseconds(found[1]) if found else float("nan")


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]  # wrk's form
    return float(number) * _UNITS[unit]
