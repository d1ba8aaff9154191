"""The benchmarks' own installation: synthetic people, agencies and the real server, made anew.

Only the synthetic release is kept from run to run; the database starts empty each time, so that a
run does not measure the log that an earlier one left.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.agencies import register
from bench.progress import steps
from cli.context import keyring, settings
from cli.demo import wait_ready
from cli.processes import child
from dtsen.database import DatabaseUrls, connect, migrate
from dtsen.embedded import cluster
from dtsen.embedded.place import Place
from dtsen.embedded.server import free_port
from dtsen.keys import SANDBOX_MARK
from dtsen.releases.activate import activate
from dtsen.releases.load import load
from dtsen.releases.synth import synthesise
from dtsen.settings import PREFIX

RELEASE = "2026-Q3"
SEED = 1
PEOPLE_IN_A_FAMILY = 3.04

console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Installation:
    """A running cluster with one release in force, and agencies; the API is not started yet."""

    urls: DatabaseUrls
    release: Path
    ordinal: int
    clients: Path

    @property
    def postmaster(self) -> int:
        """The pid of PostgreSQL's first process."""
        place = Place(settings().home, settings().pghome)
        return int((place.data / "postmaster.pid").read_text().split()[0])


@contextmanager
def installation(home: Path, people: int) -> Iterator[Installation]:
    """Everything but the API, for as long as the block lasts; its database is removed after."""
    with _alone(home):
        release = synthetic_release(home, people)
        _environment(home / "run")
        yield from _installed(release)


def _installed(release: Path) -> Iterator[Installation]:
    _remove()
    try:
        with cluster(settings()) as urls:
            migrate(urls)
            keyring().ensure(datetime.now(UTC))
            (settings().key_directory / SANDBOX_MARK).touch(mode=0o600)
            with steps("loading") as told:
                loaded = load(urls, release, told)
            clients = settings().home / "clients"
            with connect(urls.owner, autocommit=True) as connection:
                activate(connection, RELEASE)
                register(connection, clients)
            yield Installation(urls, release, loaded.ordinal, clients)
    finally:
        _remove()


@contextmanager
def serving() -> Iterator[int]:
    """The API as `dtsen serve` runs it, one worker, beside the sequencer; its pid."""
    with child(("sequencer",)), child(("serve",)) as process:
        wait_ready()
        yield process.pid


def synthetic_release(home: Path, people: int) -> Path:
    """The folder of a synthetic release of so many people, made where there is none."""
    folder = home / f"people-{people}"
    if not folder.exists():
        draft = folder.with_name(f".{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        with steps("synthetic people") as told:
            synthesise(
                draft,
                families=round(people / PEOPLE_IN_A_FAMILY),
                seed=SEED,
                releases=(RELEASE,),
                progress=lambda done, whole: told("families", done, whole),
            )
        draft.rename(folder)
    return folder / RELEASE


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One benchmark at a time in a folder, and so on its processors.

    Raises:
        SystemExit: another one runs.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another benchmark runs in {home}") from None
        yield


def _environment(home: Path) -> None:
    """Settings of the benchmark alone, here and in what it starts."""
    if settings.cache_info().currsize:
        return
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    chosen = {"HOME": home, "PORT": free_port(), "METRICS_PORT": free_port(), "WORKERS": 1}
    os.environ |= {PREFIX + name: str(value) for name, value in chosen.items()}


def _remove() -> None:
    for folder in (settings().home, settings().pghome):
        shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    """One line for whoever waits."""
    console.print(text, markup=False, highlight=False)


if sys.platform != "linux":
    raise SystemExit("the benchmarks read /proc: Linux only")
