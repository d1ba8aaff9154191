"""Connections to PostgreSQL: asyncpg pools for requests, psycopg for administration.

Each login sees only what it serves (deploy/grants.sql); which login a caller needs is in the name
of the URL that it is given.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import asyncpg
import psycopg
from asyncpg.pool import PoolConnectionProxy
from psycopg import sql

OUTAGES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What asyncpg raises when the database could not be asked or did not answer; TimeoutError is an
OSError. InternalClientError is neither of the other two: a connection cut at a bad moment."""

_REVISION = re.compile(r'^revision = "(.+)"$', re.MULTILINE)
_FOLLOWED = re.compile(r'^down_revision = "(.+)"$', re.MULTILINE)

ABANDONED = "5s"
"""After this long a backend that waits sees that its client is gone, and gives its place free."""

Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy[asyncpg.Record]"
"""An asyncpg connection, of a pool or alone."""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """`postgresql://` URLs of the four logins; none is a member of another."""

    owner: str
    api: str
    sequencer: str
    auditor: str

    def __repr__(self) -> str:
        """Without passwords."""
        return f"DatabaseUrls({urlsplit(self.api).hostname}:{urlsplit(self.api).port})"


def login(url: str) -> str:
    """The login's name in a database URL."""
    return unquote(urlsplit(url).username or "")


async def open_pool(
    url: str | Callable[[], str],
    *,
    name: str,
    size: int,
    deadline: float | None = None,
    generic_plans: bool = False,
) -> asyncpg.Pool:
    """A pool whose sessions never change state, so that no reset query is needed.

    It connects when first used, so that it can be made while PostgreSQL is away; given a function,
    it asks that one each time where to connect, since a server may come back elsewhere. After
    `deadline` seconds a statement is given up and, if that is not answered in as many, its
    connection closed.
    `generic_plans` is for the lookup connections alone: their statements repeat by the million,
    and a plan made anew for each would cost more than the read.
    """
    settings = {"application_name": name, "timezone": "UTC", "synchronous_commit": "on"}
    if generic_plans:
        settings["plan_cache_mode"] = "force_generic_plan"
    settings["client_connection_check_interval"] = ABANDONED

    async def connect(*_: object, **how: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's own
        return await asyncpg.connect(url() if callable(url) else url, **how)

    return await asyncpg.create_pool(
        connect=connect,
        min_size=0,
        max_size=size,
        reset=_keep_session,
        server_settings=settings,
        max_inactive_connection_lifetime=0,
        # A pack of ten plans is a long statement that repeats by the million: never re-plan it.
        statement_cache_size=256,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
        timeout=5,
        command_timeout=deadline,
    )


@asynccontextmanager
async def borrowed(pool: asyncpg.Pool, seconds: float) -> AsyncIterator[Connection]:
    """A pool's connection, waited for and then held for so many seconds at most each.

    Raises:
        OUTAGES: there is none in time; and within the block, past its time.
    """
    connection = await pool.acquire(timeout=seconds)
    try:
        with limited(connection, seconds):
            yield connection
    finally:
        await pool.release(connection)


@contextmanager
def limited(connection: Connection, seconds: float) -> Iterator[None]:
    """End the connection when the block lasts longer: its statement then fails as in an outage.

    Nothing is cancelled: what was being committed may be there or not.
    """
    timer = asyncio.get_running_loop().call_later(seconds, connection.terminate)
    try:
        yield
    finally:
        timer.cancel()


async def _keep_session(_: Connection) -> None:
    """Do nothing: no statement of ours changes the session."""


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection:
    """One synchronous connection, for commands and loads."""
    return psycopg.connect(url, autocommit=autocommit, application_name="dtsen-cli")


def migrate(
    urls: DatabaseUrls,
    done: Callable[[psycopg.Connection, str | None, str], None] = lambda *_: None,
) -> None:
    """Bring the schema to the newest revision and give each login what it serves.

    `done` is told the revision before and after, in the transaction that brings it there.
    """
    with connect(urls.owner) as connection:
        present = revision(connection)
    newest = newest_revision()
    if present != newest:
        from dtsen.migration import upgrade  # noqa: PLC0415 - Alembic costs 0.3 s, at most starts for nothing

        upgrade(urls.owner, lambda connection: done(connection, present, newest))
    grant(urls)


def newest_revision() -> str:
    """The revision that no other one follows, told without Alembic."""
    with as_file(files("deploy") / "migrations" / "versions") as folder:
        texts = [file.read_text() for file in folder.glob("*.py")]
    newest = {found[1] for text in texts for found in [_REVISION.search(text)] if found}
    followed = {found[1] for text in texts for found in [_FOLLOWED.search(text)] if found}
    (last,) = newest - followed
    return last


def revision(connection: psycopg.Connection) -> str | None:
    """The revision that a database is at; None before the first."""
    known = connection.execute("SELECT to_regclass('public.migration')").fetchone()
    if known is None or known[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM public.migration").fetchone()
    return None if row is None else str(row[0])


def grant(urls: DatabaseUrls) -> None:
    """Give each login exactly the rights of deploy/grants.sql; safe to repeat."""
    text = (files("deploy") / "grants.sql").read_text()
    statement = sql.SQL(text).format(
        api=sql.Identifier(login(urls.api)),
        sequencer=sql.Identifier(login(urls.sequencer)),
        auditor=sql.Identifier(login(urls.auditor)),
    )
    with connect(urls.owner) as connection:
        connection.execute(statement)
