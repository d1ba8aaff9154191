"""Real PostgreSQL servers for tests: the embedded 18, and a 15 of the system's packages.

`postgres18` and `postgres15` last a session; `postgres` runs a test on both.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dtsen.database import DatabaseUrls
from dtsen.embedded import cluster, serving
from dtsen.embedded.place import Place, account
from dtsen.settings import Settings, enterable
from tests.packages import install

PACKAGE = "postgresql-15"
PROGRAMS = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/pgsql-15/bin"))
ACCOUNT = "nobody"
ELSEWHERE = (
    "Distributions newer than Debian 12 have it in the repository of apt.postgresql.org; add that"
    " and run again."
)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that the server's account may pass through; pytest's own it may not."""
    parents = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - a fresh folder inside
    parent = next(path for path in parents if enterable(path))
    with tempfile.TemporaryDirectory(
        prefix="dtsen-", dir=parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def embedded_18(folder: Path) -> Iterator[DatabaseUrls]:
    """The embedded server in a folder."""
    with cluster(Settings(home=folder / "home")) as urls:
        yield urls


@contextmanager
def packaged_15(folder: Path) -> Iterator[DatabaseUrls]:
    """A private cluster of the system's PostgreSQL 15, kept exactly as the embedded one is."""
    programs = programs_15()
    place = Place(folder / "home", folder / "home" / "postgres")
    with serving(place, account(ACCOUNT), programs) as urls:
        yield urls


def programs_15() -> Path:
    """Folder of PostgreSQL 15's programs, installed first if they are missing and we are root."""
    found = [path for path in PROGRAMS if (path / "postgres").is_file()]
    if found:
        return found[0]
    install("PostgreSQL 15", PACKAGE, hint=ELSEWHERE)
    return programs_15()


@pytest.fixture(scope="session")
def postgres18() -> Iterator[DatabaseUrls]:
    with open_folder() as folder, embedded_18(folder) as urls:
        yield urls


@pytest.fixture(scope="session")
def postgres15() -> Iterator[DatabaseUrls]:
    with open_folder() as folder, packaged_15(folder) as urls:
        yield urls


@pytest.fixture(scope="session", params=["postgres18", "postgres15"])
def postgres(request: pytest.FixtureRequest) -> DatabaseUrls:
    urls: DatabaseUrls = request.getfixturevalue(request.param)
    return urls


@pytest.fixture
def home() -> Iterator[Path]:
    """A DTSEN_HOME, not made yet, in an open folder of its own."""
    with open_folder() as folder:
        yield folder / "home"
