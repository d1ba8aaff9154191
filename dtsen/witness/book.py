"""What a witness remembers: the last checkpoint that it signed, for each log. A file of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dtsen.tlog.checkpoint import Checkpoint

WAIT_SECONDS = 10.0

_CREATE = """
CREATE TABLE IF NOT EXISTS latest (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL
) STRICT
"""
_SELECT = "SELECT origin, size, root FROM latest WHERE origin = ?"
_UPSERT = """
INSERT INTO latest (origin, size, root) VALUES (?, ?, ?)
ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root
"""


class Book:
    """One SQLite file; every change is on disk before its block ends."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            connection.execute(_CREATE)

    @contextmanager
    def page(self, origin: str) -> Iterator["Page"]:
        """The page of a log, held by nobody else until the block ends; an error changes nothing."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            row = connection.execute(_SELECT, (origin,)).fetchone()
            page = Page(connection, Checkpoint(*row) if row else None)
            yield page
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return connection


class Page:
    """The last checkpoint of one log."""

    def __init__(self, connection: sqlite3.Connection, latest: Checkpoint | None) -> None:
        """Hold an open transaction and what it read."""
        self._connection = connection
        self.latest = latest

    def write(self, checkpoint: Checkpoint) -> None:
        """Remember a checkpoint as the last."""
        self._connection.execute(_UPSERT, checkpoint)
