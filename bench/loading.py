"""Loading a release beside bare COPY of the same rows, and lookups while it is loaded.

Run as `python -m bench.loading`.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import typer
from psycopg import sql

from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import Installation, installation, serving
from bench.lookup import Askers
from bench.processes import cpu_seconds
from bench.progress import steps
from bench.results import Result, publish
from bench.rounds import Measured, Ratio, Series, interleave, paired
from bench.wrk import Driven
from cli.context import settings
from dtsen.database import connect
from dtsen.releases import layout
from dtsen.releases.activate import destroy
from dtsen.releases.load import load
from dtsen.releases.manifest import MANIFEST

GOAL = 0.5
COPY_ORDINAL = 1_000_000  # of no release
CHUNK = 1 << 20
AGAIN = "2027-Q4"

# Well below what one worker can do, so that latency is service time and not a queue.
PACED_CONNECTIONS = 8
PACED_MILLISECONDS = 40


def measure(found: Installation, rounds: int, seconds: float) -> Result:
    """Load and COPY in interleaved rounds, then one load under lookups."""
    folder = renamed(found.release)
    texts = exported(found)
    whole = sum(entry["rows"] for entry in json.loads(_manifest(folder))["files"].values())
    configurations: dict[str, Callable[[], Measured]] = {
        "load": partial(_load, found, folder, whole),
        "bare COPY": partial(_copy, found, texts, whole, indexed=False),
        "COPY, indexes, vacuum": partial(_copy, found, texts, whole, indexed=True),
    }
    series = interleave("load", configurations, rounds)
    for text in texts.values():
        text.unlink()
    quiet, busy = _lookups(found, folder, seconds)
    latency: Series = {
        "lookups before a load": [_latency(quiet)],
        "lookups during a load": [_latency(one) for one in busy],
    }
    ratios = [
        paired("release load / bare COPY", series, "load", "bare COPY", goal=GOAL),
        paired("release load / COPY, indexes, vacuum", series, "load", "COPY, indexes, vacuum"),
        Ratio(
            "lookup p99 during a load / before",
            *("during", "before", tuple(one.p99 / quiet.p99 for one in busy)),
        ),
        Ratio(
            "lookup p50 during a load / before",
            *("during", "before", tuple(one.p50 / quiet.p50 for one in busy)),
        ),
    ]
    parameters = {"rounds": rounds, "rows": whole, "paced_connections": PACED_CONNECTIONS}
    title = "Loading a release of a million people"
    return Result("loading", title, parameters, {**series, **latency}, ratios)


def renamed(release: Path) -> Path:
    """The same files as a release of another id, which can be loaded beside the first."""
    folder = settings().home / AGAIN
    folder.mkdir(exist_ok=True)
    manifest = json.loads(_manifest(release))
    for name in manifest["files"]:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(release / name)
    (folder / MANIFEST).write_text(json.dumps(manifest | {"release": AGAIN}))
    return folder


def exported(found: Installation) -> dict[layout.File, Path]:
    """Each loaded table as COPY's text, on disk."""
    texts: dict[layout.File, Path] = {}
    with connect(found.urls.owner) as connection:
        for file in layout.FILES:
            texts[file] = settings().home / f"{file}.copy"
            query = sql.SQL("COPY {} TO STDOUT").format(layout.identifier(file, found.ordinal))
            with texts[file].open("wb") as out, connection.cursor().copy(query) as copy:
                for part in copy:
                    out.write(part)
    return texts


def _load(found: Installation, folder: Path, rows: int) -> Measured:
    began, spent = time.monotonic(), cpu_seconds(found.postmaster)
    ours = time.process_time()
    load(found.urls, folder, lambda *_: None)
    seconds = time.monotonic() - began
    cpu = {
        "loader": (time.process_time() - ours) * 1e6 / rows,
        "postgres": (cpu_seconds(found.postmaster) - spent) * 1e6 / rows,
    }
    with connect(found.urls.owner, autocommit=True) as connection:
        destroy(connection, AGAIN)
    return Measured(rows / seconds, cpu=cpu)


def _copy(
    found: Installation, texts: dict[layout.File, Path], rows: int, *, indexed: bool
) -> Measured:
    """COPY of every table into one like it, frozen as `load` does; with what follows it or not."""
    version = json.loads(_manifest(found.release))["metadata_version"]
    spent = cpu_seconds(found.postmaster)
    with connect(found.urls.owner, autocommit=True) as connection:
        began = time.monotonic()
        for file, text in texts.items():
            with connection.transaction():
                connection.execute(layout.create(file, COPY_ORDINAL, version))
                _send(connection, layout.identifier(file, COPY_ORDINAL), text)
            if indexed:
                indexes = layout.create_indexes(file, COPY_ORDINAL)
                for statement in (*indexes, *layout.finish(file, COPY_ORDINAL)):
                    connection.execute(statement)
        seconds = time.monotonic() - began
        connection.execute(layout.drop(COPY_ORDINAL))
    cpu = {"postgres": (cpu_seconds(found.postmaster) - spent) * 1e6 / rows}
    return Measured(rows / seconds, cpu=cpu)


def _send(connection: psycopg.Connection, table: sql.Identifier, text: Path) -> None:
    query = sql.SQL("COPY {} FROM STDIN (FREEZE)").format(table)
    with text.open("rb") as file, connection.cursor().copy(query) as copy:
        while part := file.read(CHUNK):
            copy.write(part)


def _lookups(found: Installation, folder: Path, seconds: float) -> tuple[Driven, list[Driven]]:
    """Paced lookups before a load, and again and again while it lasts."""
    askers = Askers(found)
    askers.pick()
    with serving(), steps("lookups beside a load") as told:

        def ask() -> Driven:
            return askers.lookups("many", PACED_CONNECTIONS, seconds, PACED_MILLISECONDS)

        told("warming up", 0, 3)
        ask()
        told("before", 1, 3)
        quiet = ask()
        told("during", 2, 3)
        busy = []
        with _beside(partial(load, found.urls, folder, lambda *_: None)) as running:
            while running():
                busy.append(ask())
    with connect(found.urls.owner, autocommit=True) as connection:
        destroy(connection, AGAIN)
    # The last one may have outlasted the load.
    return quiet, busy[:-1] or busy


@contextmanager
def _beside(work: Callable[[], object]) -> Iterator[Callable[[], bool]]:
    """Do some work in a thread; says whether it still runs, and raises what it raised."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - raised again below
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread.is_alive
    finally:
        thread.join()
    if failures:
        raise failures[0]


def _latency(driven: Driven) -> Measured:
    return Measured(driven.requests / driven.seconds, driven.p50, driven.p99)


def _manifest(folder: Path) -> str:
    return (folder / MANIFEST).read_text()


def main(
    home: Home = HOME, people: People = 1_000_000, rounds: Rounds = 3, seconds: Seconds = 5
) -> None:
    """Measure loading beside COPY, and lookups beside a load."""
    with installation(home, people) as found:
        publish(measure(found, rounds, seconds))


if __name__ == "__main__":
    typer.run(main)
