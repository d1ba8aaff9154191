"""The database's own rows as a place that holds a log's entries, for whoever verifies the log.

Read with the auditor's login. What is compared with them are hashes from elsewhere: the published
tiles, which nobody can change by changing the database.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from dtsen.audit.opening import COLUMNS, Mismatch, read_leaf
from dtsen.tlog.merkle import HASH_BYTES
from dtsen.tlog.tiles import HEIGHT, WIDTH, Edge, Tile, TileInvalid, split_tile, tile_width
from dtsen.verifier.checking import Entry
from dtsen.verifier.faults import LogFault
from dtsen.verifier.source import Source, first_entry, read_hashes

_ENTRIES = f"""
SELECT l.index, l.record, r.leaf, {", ".join(f"r.{name}" for name in COLUMNS)}
FROM audit.leaf l LEFT JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE l.year = %s AND l.index >= %s AND l.index < %s
ORDER BY l.index
"""  # noqa: S608 - of our own column names
_TREE = "SELECT size, root, edge FROM audit.tree WHERE year = %s"
_TILES = """
SELECT level, index, hashes FROM audit.tile
WHERE (year, level) = (%s, %s) AND index >= %s ORDER BY index LIMIT %s
"""
_UNLOGGED = """
SELECT r.id, r.recorded_at FROM audit.record r
WHERE NOT EXISTS (SELECT FROM audit.leaf l WHERE l.record = r.id)
    AND NOT EXISTS (SELECT FROM audit.pending p WHERE (p.recorded_at, p.id) = (r.recorded_at, r.id))
ORDER BY r.recorded_at, r.id LIMIT 1
"""

_ANSWERED = """
SELECT id, recorded_at FROM audit.record
WHERE recorded_at >= %s AND recorded_at < %s
    AND client IS NOT NULL AND op <> %s AND typ <> ALL(%s)
"""

TILES_AT_ONCE = 64
WITHOUT_ANSWER = frozenset({"login", "throttled", "admin"})
"""Kinds of records of clients that no answer names."""
COUNTED_REFUSALS = "*"
"""The operation of records that count refusals."""


class Rows:
    """Records in the order in which `audit.leaf` places them in a year's log."""

    def __init__(self, connection: psycopg.Connection, year: int) -> None:
        """Take a connection of the auditor's login."""
        self._connection = connection
        self._year = year

    def read(self, tile: Tile) -> Sequence[Entry]:
        """What the rows hold of the entries beside a tile."""
        start = first_entry(tile)
        with self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(_ENTRIES, (self._year, start, start + tile.width))
            rows = {row["index"]: row for row in cursor}
        return [_entry(rows.get(index)) for index in range(start, start + tile.width)]


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


def _entry(row: dict[str, object] | None) -> Entry:
    if row is None:
        return Entry(None, "audit.leaf has no row for it")
    if row["record"] is None:
        return Entry(b"")
    named = f"record {row['record']}"
    if row["leaf"] is None:
        return Entry(None, f"{named} is gone from audit.record")
    content = bytes(row["leaf"])  # type: ignore[call-overload]
    try:
        read_leaf(row)
    except Mismatch:
        return Entry(content, f"the columns of {named} do not say what its leaf says")
    return Entry(content)


def check_stored_tree(connection: psycopg.Connection, year: int, source: Source, size: int) -> None:
    """Hold the database's tiles and tree of a year against published tiles of `size` leaves.

    Raises:
        LogFault: they differ; the first entry that the difference is about is named.
    """
    row = connection.execute(_TREE, (year,)).fetchone()
    if row is None:
        raise LogFault(f"audit.tree has no log of {year}")
    stored_size, root, rows = row
    if stored_size < size:
        raise LogFault(f"audit.tree has {stored_size} entries of {size} published", stored_size)
    level = 0
    while size >> HEIGHT * level:
        _check_level(connection, year, level, source, size)
        level += 1
    try:
        edge = Edge(stored_size, rows)
    except TileInvalid as error:
        raise LogFault(f"audit.tree: {error}") from None
    for tile, content in edge.partial():
        width = min(tile.width, tile_width(tile.level, tile.index, size))
        if width:
            published = read_hashes(source, Tile(tile.level, tile.index, width))
            _same("audit.tree", tile, content[: width * HASH_BYTES], published)
    if edge.root() != root:
        raise LogFault("audit.tree has another root than its own edge makes")


def _check_level(
    connection: psycopg.Connection, year: int, level: int, source: Source, size: int
) -> None:
    full = size >> HEIGHT * (level + 1)
    for start in range(0, full, TILES_AT_ONCE):
        rows = connection.execute(_TILES, (year, level, start, TILES_AT_ONCE)).fetchall()
        stored = {index: bytes(hashes) for _, index, hashes in rows}
        for index in range(start, min(start + TILES_AT_ONCE, full)):
            tile = Tile(level, index, WIDTH)
            if index not in stored:
                raise LogFault(f"audit.tile has no row for {tile.path}", first_entry(tile))
            _same("audit.tile", tile, stored[index], read_hashes(source, tile))


def _same(table: str, tile: Tile, stored: bytes, published: Sequence[bytes]) -> None:
    mine = split_tile(Tile(tile.level, tile.index, len(published)), stored)
    for at, (one, other) in enumerate(zip(mine, published, strict=True)):
        if one != other:
            first = (tile.index * WIDTH + at) << HEIGHT * tile.level
            raise LogFault(f"{table} has other hashes in {tile.path} than were published", first)


def check_unlogged(connection: psycopg.Connection) -> None:
    """See that every record is in a log or waits for one.

    Raises:
        LogFault: one was put there by hand, or its place in the log was taken away.
    """
    row = connection.execute(_UNLOGGED).fetchone()
    if row is not None:
        record, recorded_at = row
        when = recorded_at.isoformat(timespec="seconds")
        raise LogFault(f"record {record} of {when} is in no log and waits for none")
