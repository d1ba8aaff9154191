"""The database's own rows as a place that holds a log's entries, for whoever verifies the log.

Read with the auditor's login. What is compared with them are hashes from elsewhere: the published
tiles, which nobody can change by changing the database.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from dtsen.audit.opening import COLUMNS, Mismatch, read_leaf
from dtsen.audit.sealed import INDEXES, Sealed
from dtsen.tlog.tiles import Tile
from dtsen.verifier.checking import Entry
from dtsen.verifier.source import Source, first_entry

_ENTRIES = f"""
SELECT l.index, l.record, l.recorded_at, r.leaf, r.disclosures,
    {", ".join(f"r.{name}" for name in (*COLUMNS, *INDEXES))}
FROM audit.leaf l LEFT JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE l.year = %s AND l.index >= %s AND l.index < %s
ORDER BY l.index
"""  # noqa: S608 - of our own column names
_ANSWERED = """
SELECT id, recorded_at FROM audit.record
WHERE recorded_at >= %s AND recorded_at < %s
    AND client IS NOT NULL AND op <> %s AND typ <> ALL(%s)
"""

MOST_APART = timedelta(hours=1)
"""How far the time at which a record became durable may be from that in its leaf: by as much as the
clocks of the two machines may be."""
WITHOUT_ANSWER = frozenset({"login", "throttled", "admin"})
"""Kinds of records of clients that no answer names."""
COUNTED_REFUSALS = "*"
"""The operation of records that count refusals."""


class Rows:
    """Records in the order in which `audit.leaf` places them in a year's log."""

    def __init__(self, connection: psycopg.Connection, year: int, sealed: Sealed) -> None:
        """Take a connection of the auditor's login, and who judges what is sealed."""
        self._connection = connection
        self._year = year
        self._sealed = sealed

    def read(self, tile: Tile) -> Sequence[Entry]:
        """What the rows hold of the entries beside a tile."""
        start = first_entry(tile)
        return self.between(start, start + tile.width)

    def between(self, start: int, end: int) -> Sequence[Entry]:
        """What the rows hold of some entries; `end` is not included."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(_ENTRIES, (self._year, start, end))
            rows = {row["index"]: row for row in cursor}
        return [_entry(rows.get(index), self._sealed) for index in range(start, end)]


def records_between(
    connection: psycopg.Connection, since: datetime, until: datetime
) -> dict[UUID, datetime]:
    """Records that answers name, and when they were written, between two instants."""
    rows = connection.execute(_ANSWERED, (since, until, COUNTED_REFUSALS, list(WITHOUT_ANSWER)))
    return dict(rows.fetchall())


def year_of(log: Source) -> int:
    """The year of a log, by the last part of its place.

    Raises:
        ValueError: it has none there.
    """
    return int(str(log).rstrip("/").rpartition("/")[2])


def _entry(row: dict[str, Any] | None, sealed: Sealed) -> Entry:
    if row is None:
        return Entry(None, "audit.leaf has no row for it")
    if row["record"] is None:
        return Entry(b"")
    named = f"record {row['record']}"
    if row["leaf"] is None:
        return Entry(None, f"{named} is gone from audit.record")
    content: bytes = row["leaf"]
    try:
        leaf = read_leaf(row)
    except Mismatch:
        return Entry(content, f"the columns of {named} do not say what its leaf says")
    if not _together(row["recorded_at"], leaf.get("iat")):
        return Entry(content, f"{named} has another time than its leaf says")
    fault = sealed.fault(row, leaf)
    return Entry(content, f"{named}: {fault}" if fault else None)


def _together(recorded_at: datetime, iat: object) -> bool:
    try:
        return abs(recorded_at - datetime.fromisoformat(str(iat))) <= MOST_APART
    except (TypeError, ValueError):
        return False
