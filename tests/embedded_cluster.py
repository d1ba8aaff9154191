"""A cluster of the embedded server for one test, and what a test wants to know of it."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from dtsen.database import DatabaseUrls
from dtsen.embedded.logins import read_logins
from dtsen.embedded.place import Place
from dtsen.settings import Settings

SECONDS = 30
"""Bound of every wait; each ends with its event."""
PARENT = """
import sys
from pathlib import Path
from dtsen.embedded import cluster
from dtsen.settings import Settings
with cluster(Settings(home=Path(sys.argv[1]))) as urls:
    print(urls.owner, flush=True)
    sys.stdin.read()
"""


def place_of(home: Path) -> Place:
    return Place(home, home / "postgres")


def settings_of(home: Path) -> Settings:
    return Settings(home=home)


def superuser_url(home: Path) -> str:
    logins = read_logins(place_of(home).logins)
    assert logins is not None
    return f"postgresql://postgres:{logins.superuser}@127.0.0.1:{logins.port}/dtsen"


def postmaster(home: Path) -> int:
    return int((place_of(home).data / "postmaster.pid").read_text().split()[0])


def rows(urls: DatabaseUrls | str) -> list[int]:
    with psycopg.connect(urls if isinstance(urls, str) else urls.owner) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM mark ORDER BY n")]


def mark(url: str, number: int) -> None:
    """Write a committed row that must be found after whatever comes."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mark (n integer)")
        connection.execute("INSERT INTO mark (n) VALUES (%s)", (number,))


def until_answers(url: str) -> None:
    """Connect until it works: PostgreSQL sends no news of being ready again."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
        else:
            return


def start_python(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True)


@contextmanager
def parent_process(home: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Another process that runs the cluster; yields it and the owner's URL."""
    with start_python(PARENT, home) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
