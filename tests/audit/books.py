"""The shared access log on real servers, and empty ones for tests that break or restore theirs."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from dtsen.audit.publication import Publication
from dtsen.audit.search import AccessLog
from dtsen.audit.stores import Directory
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, migrate, open_pool
from dtsen.keys import Keyring
from tests.audit.ledger import ROLES, Ledger
from tests.embedded_cluster import place_of, superuser_url
from tests.postgres import embedded_18, open_folder, packaged_15

_serial = itertools.count(1)


@pytest.fixture
def book(ledger: Ledger, tmp_path: Path) -> Iterator[Ledger]:
    """A log of its own, empty, for a test that breaks or restores it."""
    with opened(ledger, tmp_path) as one:
        yield one


@contextmanager
def opened(ledger: Ledger, folder: Path, template: str = "blank") -> Iterator[Ledger]:
    """A log of its own in a folder, whose database begins as a copy of another."""
    name = f"book_{next(_serial)}"
    with psycopg.connect(ledger.superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER dtsen_owner")
    urls = DatabaseUrls(
        **{role: getattr(ledger.urls, role).removesuffix("dtsen") + name for role in ROLES}
    )
    yield from _serve(urls, folder, ledger.superuser)
    with psycopg.connect(ledger.superuser, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session", params=[embedded_18, packaged_15], ids=["postgres18", "15"])
def ledger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    """An access log on a server of its own, so that a search can be held against all of it."""
    with open_folder() as folder, request.param(folder) as urls:
        migrate(urls)
        superuser = superuser_url(folder / "home").removesuffix("dtsen") + "postgres"
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("CREATE DATABASE blank TEMPLATE dtsen OWNER dtsen_owner")
            # The embedded server lets the logins into its one database alone.
            with place_of(folder / "home").hba.open("a") as rules:
                rules.write("host all all 127.0.0.1/32 scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")
        yield from _serve(urls, tmp_path_factory.mktemp("ledger"), superuser)


def _serve(urls: DatabaseUrls, folder: Path, superuser: str) -> Iterator[Ledger]:
    keyring = Keyring(folder / "keys")
    keyring.ensure(datetime.now(UTC))
    loop = asyncio.new_event_loop()
    pool = loop.run_until_complete(open_pool(urls.auditor, name="auditor", size=2))
    try:
        publication = Publication(Directory(folder / "log"), folder / "log-guard")
        log = AccessLog(pool, keyring, Clock())
        yield Ledger(urls, keyring, loop, pool, log, folder, publication, superuser)
    finally:
        loop.run_until_complete(pool.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
