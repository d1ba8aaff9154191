"""The database's own tree of a year, held against what was published of it.

What is compared with are published tiles, which nobody can change by changing the database; what
was merged since they were published is hashed anew from its records.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

from dtsen.audit.rows import Rows
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.merkle import HASH_BYTES, leaf_hash
from dtsen.tlog.tiles import HEIGHT, WIDTH, Edge, Tile, TileInvalid, split_tile, tile_width
from dtsen.verifier.faults import LogFault
from dtsen.verifier.leaves import leaf_fault
from dtsen.verifier.source import Source, first_entry, read_hashes
from dtsen.verifier.story import CLOSED

_TREE = "SELECT origin, key, size, root, edge, opened_at, closed_at FROM audit.tree WHERE year = %s"
_TILES = """
SELECT index, hashes FROM audit.tile
WHERE (year, level) = (%s, %s) AND index >= %s ORDER BY index LIMIT %s
"""
_OTHER_TILES = """
SELECT count(*), min(level) FILTER (WHERE beyond), min(index) FILTER (WHERE beyond)
FROM audit.tile
CROSS JOIN LATERAL (SELECT index < 0 OR level NOT BETWEEN 0 AND 6
    OR index >= %(size)s::bigint >> 8 * (level::integer + 1) AS beyond) AS b
WHERE year = %(year)s
"""
_PLACES = """
SELECT count(*), min(index) FILTER (WHERE index < 0 OR index >= %(size)s)
FROM audit.leaf WHERE year = %(year)s
"""
_LEAF = """
SELECT r.leaf
FROM audit.leaf l LEFT JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE l.year = %s AND l.index = %s
"""

TILES_AT_ONCE = 64
MOST_APART = timedelta(minutes=1)
"""A log is opened and closed in one transaction with the leaf that says so."""


class StoredTree:
    """The row of `audit.tree` of one year, its tiles and its places."""

    def __init__(self, connection: psycopg.Connection, year: int, source: Source) -> None:
        """Take a connection of the auditor's login, and the published log.

        Raises:
            LogFault: the database has no log of that year.
        """
        with connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_TREE, (year,)).fetchone()
        if row is None:
            raise LogFault(f"audit.tree has no log of {year}")
        self._connection = connection
        self._source = source
        self._row: Mapping[str, Any] = row
        self.year = year
        self.size: int = row["size"]

    def check(self, checkpoint: Checkpoint, verified: Edge, rows: Rows) -> Sequence[bytes]:
        """Hold all of it against a verified checkpoint and its edge.

        Gives the hashes of leaves that were merged since.

        Raises:
            LogFault: they differ; the first entry that the difference is about is named.
        """
        if self._row["origin"] != checkpoint.origin:
            raise LogFault(f"audit.tree calls the log {self._row['origin']}")
        if self.size < checkpoint.size:
            raise LogFault(
                f"audit.tree has {self.size} entries of {checkpoint.size} published", self.size
            )
        self._check_places()
        level = 0
        while checkpoint.size >> HEIGHT * level:
            self._check_level(level, checkpoint.size)
            level += 1
        edge = self._edge()
        self._check_edge(edge, checkpoint.size)
        since = self._since(checkpoint.size, rows)
        grown = verified.copy()
        for tile, content in grown.append(since):
            self._check_tiles(tile.level, tile.index, [(tile, split_tile(tile, content))])
        if grown.root() != self._row["root"]:
            raise LogFault("audit.tree has another root than its entries make", checkpoint.size)
        self._check_other_tiles()
        self._check_story()
        return since

    def _edge(self) -> Edge:
        try:
            edge = Edge(self.size, self._row["edge"])
        except TileInvalid as error:
            raise LogFault(f"audit.tree: {error}") from None
        return edge

    def _check_edge(self, edge: Edge, size: int) -> None:
        for tile, content in edge.partial():
            width = min(tile.width, tile_width(tile.level, tile.index, size))
            if width:
                published = read_hashes(self._source, Tile(tile.level, tile.index, width))
                _same("audit.tree", tile, content[: width * HASH_BYTES], published)
        if edge.root() != self._row["root"]:
            raise LogFault("audit.tree has another root than its own edge makes")

    def _check_level(self, level: int, size: int) -> None:
        full = size >> HEIGHT * (level + 1)
        for start in range(0, full, TILES_AT_ONCE):
            tiles = [Tile(level, index, WIDTH) for index in range(start, full)][:TILES_AT_ONCE]
            wanted = [(tile, read_hashes(self._source, tile)) for tile in tiles]
            self._check_tiles(level, start, wanted)

    def _check_tiles(
        self, level: int, start: int, wanted: Sequence[tuple[Tile, Sequence[bytes]]]
    ) -> None:
        asked = (self.year, level, start, len(wanted))
        stored: dict[int, bytes] = dict(self._connection.execute(_TILES, asked).fetchall())
        for tile, hashes in wanted:
            if tile.index not in stored:
                raise LogFault(f"audit.tile has no row for {tile.path}", first_entry(tile))
            _same("audit.tile", tile, stored[tile.index], hashes)

    def _check_other_tiles(self) -> None:
        levels = range(1, self.size.bit_length() // HEIGHT + 1)
        full = sum(self.size >> HEIGHT * level for level in levels)
        asked = {"year": self.year, "size": self.size}
        row = self._connection.execute(_OTHER_TILES, asked).fetchone()
        count, level, index = row or (0, None, None)
        if level is not None:
            raise LogFault(f"audit.tile has a row of level {level}, index {index}: no such tile")
        if count != full:
            raise LogFault(f"audit.tile has {count} rows of the log's {full} full tiles")

    def _check_places(self) -> None:
        asked = {"year": self.year, "size": self.size}
        row = self._connection.execute(_PLACES, asked).fetchone()
        count, other = row or (0, None)
        if other is not None:
            raise LogFault(f"audit.leaf has a row beyond the log's {self.size} entries", other)
        if count > self.size:
            raise LogFault(f"audit.leaf has {count} rows for the log's {self.size} entries")

    def _since(self, size: int, rows: Rows) -> list[bytes]:
        """The hashes of leaves after those published, each leaf judged."""
        hashes = []
        for index, entry in enumerate(rows.between(size, self.size), size):
            if not entry.content:
                raise LogFault(entry.fault or "only its hash is left", index)
            fault = entry.fault or leaf_fault(entry.content)
            if fault:
                raise LogFault(fault, index)
            hashes.append(leaf_hash(entry.content))
        return hashes

    def _check_story(self) -> None:
        """Hold the row's key and times against the log's first and last leaf."""
        first = self._leaf(0)
        if first and first["key"] != self._row["key"]:
            raise LogFault("audit.tree has another key than the log's first entry", 0)
        if first and _apart(self._row["opened_at"], first):
            raise LogFault("audit.tree gives another time of opening than the first entry", 0)
        last = self._leaf(self.size - 1)
        if last and (self._row["closed_at"] is not None) != (last["op"] == CLOSED):
            raise LogFault("audit.tree and its last entry differ on its end", self.size - 1)
        if last and self._row["closed_at"] and _apart(self._row["closed_at"], last):
            raise LogFault("audit.tree gives another time of closing than the last entry")

    def _leaf(self, index: int) -> dict[str, Any] | None:
        """What an entry says; None where only its hash is left."""
        row = self._connection.execute(_LEAF, (self.year, index)).fetchone()
        return orjson.loads(row[0]) if row and row[0] is not None else None


def _apart(at: datetime, leaf: Mapping[str, Any]) -> bool:
    return abs(at - datetime.fromisoformat(leaf["iat"])) > MOST_APART


def _same(table: str, tile: Tile, stored: bytes, published: Sequence[bytes]) -> None:
    mine = split_tile(Tile(tile.level, tile.index, len(published)), stored)
    for at, (one, other) in enumerate(zip(mine, published, strict=True)):
        if one != other:
            first = (tile.index * WIDTH + at) << HEIGHT * tile.level
            raise LogFault(f"{table} has other hashes in {tile.path} than were published", first)


def published_hashes(source: Source, size: int) -> Iterator[bytes]:
    """The hashes of a published log's leaves, in order."""
    for index in range(-(-size // WIDTH)):
        yield from read_hashes(source, Tile(0, index, tile_width(0, index, size)))
