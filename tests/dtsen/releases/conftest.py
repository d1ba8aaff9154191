"""Servers of their own for these tests, which load and destroy releases; emptied for each."""

import pytest

from dtsen.database import connect, migrate
from dtsen.releases import layout
from tests.postgres import embedded_18, open_folder, packaged_15


@pytest.fixture(scope="session")
def registry18():
    with open_folder() as folder, embedded_18(folder) as urls:
        migrate(urls)
        yield urls


@pytest.fixture(scope="session")
def registry15():
    with open_folder() as folder, packaged_15(folder) as urls:
        migrate(urls)
        yield urls


def emptied(urls):
    with connect(urls.owner, autocommit=True) as connection:
        connection.execute("UPDATE registry.pointer SET ordinal = NULL")
        connection.execute("DELETE FROM registry.activation")
        for (ordinal,) in connection.execute("SELECT ordinal FROM registry.release").fetchall():
            connection.execute(layout.drop(ordinal))
        connection.execute("DELETE FROM registry.release")
    return urls


@pytest.fixture(params=["registry18", "registry15"])
def urls(request):
    """The logins' URLs of an empty registry, on both versions of PostgreSQL."""
    return emptied(request.getfixturevalue(request.param))


@pytest.fixture
def urls18(registry18):
    """The same on the embedded version alone, where the database's version cannot matter."""
    return emptied(registry18)


@pytest.fixture
def owner(urls):
    with connect(urls.owner, autocommit=True) as connection:
        yield connection
