"""One migrated database and one running authorization server for all tests of `auth`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtsen.database import DatabaseUrls, migrate
from dtsen.keys import Keyring
from tests.auth.make import Agreements, Server, keyring, serving


@pytest.fixture(scope="session")
def database(postgres18: DatabaseUrls) -> DatabaseUrls:
    migrate(postgres18)
    return postgres18


@pytest.fixture(scope="session")
def database_of_each(postgres: DatabaseUrls) -> DatabaseUrls:
    """The same on both supported versions of PostgreSQL."""
    migrate(postgres)
    return postgres


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    folder: Path = tmp_path_factory.mktemp("auth")
    return keyring(folder)


@pytest.fixture(scope="session")
def running_server(database: DatabaseUrls, keys: Keyring) -> Iterator[Server]:
    with serving(database.api, keys) as server:
        yield server


@pytest.fixture
def server(running_server: Server) -> Server:
    """The server, as if nobody had asked it yet."""
    running_server.refusals.clear()
    running_server.issues.clear()
    running_server.problems.clear()
    running_server.revoked.clear()
    vars(running_server.agreements).update(vars(Agreements()))
    return running_server
