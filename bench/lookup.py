"""Single lookups through the whole pipeline, beside a hello-world route and pgbench.

A real token, the real guard, limits and budgets, the gate with its durable record, one worker, over
HTTP. Run as `python -m bench.lookup`.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from json import loads
from pathlib import Path

import httpx2
import typer

from bench import pgbench, wrk
from bench.agencies import populations
from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import Installation, installation, say, serving
from bench.processes import cpu_seconds
from bench.results import Result, publish
from bench.rounds import Measured, Ratio, Series, interleave, paired, paired_cpu
from cli.context import settings
from dtsen.client.tokens import fetch_token
from dtsen.database import connect
from dtsen.embedded.server import free_port
from dtsen.releases.layout import individual_table

CONNECTIONS = (32, 128)
GOAL = 0.35
COMMITS_GOAL = 0.2
PICKED = 100_000
TOKEN_SECONDS = 120
STATISTICS_SECONDS = 12  # an idle backend hands in its counters after 10 s at the latest

_PICK = """
SELECT nomor_induk_kependudukan FROM {table} ORDER BY hashtext(nomor_induk_kependudukan) LIMIT %s
"""
_TRANSACTIONS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
_COMMITS = """
SELECT count(*), count(DISTINCT xmin::text) FROM audit.record WHERE recorded_at >= %s
"""


@dataclass(slots=True)
class Askers:
    """Files for wrk: existing NIKs, and the tokens of each population, fetched anew when old."""

    found: Installation
    _fetched: dict[str, float] = field(default_factory=dict)

    @property
    def niks(self) -> Path:
        """A NIK a line."""
        return settings().home / "niks.txt"

    def pick(self) -> list[str]:
        """Choose people and write them down."""
        with connect(self.found.urls.owner) as connection:
            query = _PICK.format(table=individual_table(self.found.ordinal))
            niks = [row[0] for row in connection.execute(query, (PICKED,))]
        self.niks.write_text("\n".join(niks) + "\n")
        return niks

    def tokens(self, population: str) -> Path:
        """A token a line, one for each client."""
        path = settings().home / f"tokens-{population}.txt"
        if time.monotonic() - self._fetched.get(population, float("-inf")) > TOKEN_SECONDS:
            clients = [name for _, names in populations()[population] for name in names]
            files = [loads((self.found.clients / f"{name}.json").read_bytes()) for name in clients]
            with httpx2.Client() as http:
                tokens = [fetch_token(file, http=http) for file in files]
            path.write_text("\n".join(tokens) + "\n")
            self._fetched[population] = time.monotonic()
        return path

    def lookups(self, population: str, connections: int, seconds: float, pause: int) -> wrk.Driven:
        """Lookups by a population; `pause` in milliseconds before each request."""
        return wrk.drive(
            f"http://127.0.0.1:{settings().port}/v1/individuals/lookup",
            connections=connections,
            seconds=seconds,
            people=(self.niks, self.tokens(population), pause),
        )


def metered(drive: Callable[[], wrk.Driven], trees: Mapping[str, int]) -> Measured:
    """Drive, and charge each process tree's CPU time to what was asked."""
    before = {name: cpu_seconds(pid) for name, pid in trees.items()}
    driven = drive()
    cpu = {
        name: (cpu_seconds(pid) - before[name]) * 1e6 / driven.requests
        for name, pid in trees.items()
    }
    return Measured(driven.requests / driven.seconds, driven.p50, driven.p99, cpu)


@contextmanager
def greeting() -> Iterator[tuple[str, int]]:
    """The hello-world server: its URL and pid."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "bench.hello", str(port)]) as process:  # noqa: S603 - our own program
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait(url)
            yield url, process.pid
        finally:
            process.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx2.get(url, timeout=1).raise_for_status()
        except httpx2.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # another process starts; it sends no news
        else:
            return


def measure(found: Installation, rounds: int, seconds: float) -> Result:
    """All lookups, in interleaved rounds, then the commits by themselves."""
    askers = Askers(found)
    niks = askers.pick()
    script = settings().home / "pgbench.sql"
    pgbench.write_script(script, found.ordinal, niks[: pgbench.PICKED])
    with serving() as api, greeting() as (url, hello):
        trees = {"server": api, "postgres": found.postmaster}
        configurations: dict[str, Callable[[], Measured]] = {}
        for count in CONNECTIONS:
            greet = partial(wrk.drive, url, connections=count, seconds=seconds)
            configurations[f"hello {count}"] = partial(metered, greet, {"server": hello})
            read = partial(pgbench.run, found.urls.api, script, connections=count, seconds=seconds)
            configurations[f"pgbench {count}"] = partial(
                metered, read, {"postgres": found.postmaster}
            )
            for population in _asked(count):
                ask = partial(askers.lookups, population, count, seconds, 0)
                configurations[f"{population} {count}"] = partial(metered, ask, trees)
        interleave("warming up", configurations, 1)
        series = interleave("lookup", configurations, rounds)
        say("commits: waiting for the server's own counters")
        commits = _commits(found, askers, seconds)
    return Result(
        "lookup",
        "Single lookup, full pipeline, one worker",
        {"rounds": rounds, "seconds": seconds, "people": _people(found), "fsync": "on"},
        series,
        [*_ratios(series), commits[0]],
        commits[1],
    )


def _ratios(series: Series) -> list[Ratio]:
    """Every population to every baseline by rate, and to the route by CPU time of the server."""
    asked = [(count, population) for count in CONNECTIONS for population in _asked(count)]
    by_rate = [
        paired(
            f"{_NAMES[population]}, {count} connections / {base}",
            series,
            f"{population} {count}",
            f"{base} {count}",
            goal=GOAL if (count, base) == (128, "hello") and population != "whole" else None,
        )
        for base in ("hello", "pgbench")
        for count, population in asked
    ]
    by_cpu = [
        paired_cpu(
            f"{_NAMES[population]}, {count} connections / hello, by server CPU",
            series,
            f"{population} {count}",
            f"hello {count}",
            "server",
        )
        for count, population in asked
    ]
    return by_rate + by_cpu


_NAMES = {
    "solo": "1 client",
    "many": "50 clients of 10 agencies",
    "whole": "1 client, 81 variables",
}


def _asked(connections: int) -> Sequence[str]:
    return ("solo", "many", "whole") if connections == max(CONNECTIONS) else ("solo", "many")


def _commits(
    found: Installation, askers: Askers, seconds: float
) -> tuple[Ratio, dict[str, object]]:
    """Recording commits for each record, and all of the server's transactions for each."""
    with connect(found.urls.owner, autocommit=True) as connection:

        def value(query: str, *given: object) -> tuple[int, ...]:
            row: tuple[int, ...] = connection.execute(query, given).fetchone()  # type: ignore[assignment]  # one row
            return row

        time.sleep(STATISTICS_SECONDS)
        (before,) = value(_TRANSACTIONS)
        (since,) = value("SELECT clock_timestamp()")
        askers.lookups("many", max(CONNECTIONS), seconds, 0)
        time.sleep(STATISTICS_SECONDS)
        (after,) = value(_TRANSACTIONS)
        records, commits = value(_COMMITS, since)
    ratio = Ratio(
        "commits for a record, 128 connections",
        *("commits", "records", (commits / records,), COMMITS_GOAL),
        at_most=True,
    )
    everything = round((after - before) / records, 4)
    return ratio, {"transactions for a record, reads and polls included": everything}


def _people(found: Installation) -> int:
    with connect(found.urls.owner) as connection:
        query = "SELECT individuals FROM registry.release WHERE ordinal = %s"
        row = connection.execute(query, (found.ordinal,)).fetchone()
        return int(row[0])  # type: ignore[index]  # the release that was just loaded


def main(
    home: Home = HOME, people: People = 1_000_000, rounds: Rounds = 7, seconds: Seconds = 4
) -> None:
    """Measure single lookups beside a hello-world route and pgbench."""
    with installation(home, people) as found:
        publish(measure(found, rounds, seconds))


if __name__ == "__main__":
    typer.run(main)
