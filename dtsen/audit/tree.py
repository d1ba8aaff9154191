"""The trees over the access log as the database keeps them, one a year.

A tree is its full tiles (`audit.tile`), the partial tiles at its right edge (in its row), and which
record each leaf is (`audit.leaf`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from dtsen.audit.halt import LogHalted
from dtsen.tlog.merkle import HASH_BYTES
from dtsen.tlog.tiles import HEIGHT, WIDTH, Edge, Tile, tile_width


class Tree(NamedTuple):
    """One row of `audit.tree`."""

    year: int
    origin: str
    key: str
    """Its key as a verifier key line."""
    size: int
    root: bytes
    edge: Sequence[bytes]
    """Partial tiles by level, lowest first."""
    closed: bool


_SELECT = "SELECT year, origin, key, size, root, edge, closed_at IS NOT NULL FROM audit.tree "
_NEWEST = _SELECT + "ORDER BY year DESC LIMIT 1"
_OF_YEAR = _SELECT + "WHERE year = %s"
_OPEN = _SELECT + "WHERE closed_at IS NULL FOR UPDATE"
_TILE = "SELECT hashes FROM audit.tile WHERE (year, level, index) = (%s, %s, %s)"
_INSERT = """
INSERT INTO audit.tree (year, origin, key, size, root, edge) VALUES (%s, %s, %s, 0, %s, '{}')
"""
_GROW = "UPDATE audit.tree SET size = %s, root = %s, edge = %s WHERE year = %s"
_CLOSE = "UPDATE audit.tree SET closed_at = clock_timestamp() WHERE year = %s"
_KEEP = "INSERT INTO audit.tile (year, level, index, hashes) VALUES (%s, %s, %s, %s)"


def newest_tree(connection: psycopg.Connection) -> Tree | None:
    """The tree of the newest log, open or closed."""
    return _tree(connection.execute(_NEWEST).fetchone())


def tree_of(connection: psycopg.Connection, year: int) -> Tree | None:
    """The tree of a year's log."""
    return _tree(connection.execute(_OF_YEAR, (year,)).fetchone())


def lock_open_tree(connection: psycopg.Connection) -> Tree | None:
    """The tree of the open log, which nobody else can grow until this transaction ends."""
    return _tree(connection.execute(_OPEN).fetchone())


def insert_tree(connection: psycopg.Connection, year: int, origin: str, key: str) -> None:
    """Open a log that has no leaf yet."""
    connection.execute(_INSERT, (year, origin, key, Edge().root()))


def grow(connection: psycopg.Connection, tree: Tree, hashes: Sequence[bytes]) -> None:
    """Add leaves to the locked tree: full tiles, edge and root."""
    edge = Edge(tree.size, tree.edge)
    full = edge.append(hashes)
    if full:
        with connection.cursor() as cursor:
            cursor.executemany(
                _KEEP, [(tree.year, tile.level, tile.index, content) for tile, content in full]
            )
    connection.execute(_GROW, (edge.size, edge.root(), rows_of(edge), tree.year))


def close_tree(connection: psycopg.Connection, tree: Tree) -> None:
    """Close a log: it has its last leaf."""
    connection.execute(_CLOSE, (tree.year,))


def rows_of(edge: Edge) -> list[bytes]:
    """The partial tiles of an edge by level, empty ones included."""
    rows: list[bytes] = []
    size = edge.size
    while size:
        rows.append(b"")
        size >>= HEIGHT
    for tile, row in edge.partial():
        rows[tile.level] = row
    return rows


def tile_bytes(connection: psycopg.Connection, tree: Tree, tile: Tile) -> bytes:
    """The bytes of a tile of the tree as it is or as it was when smaller.

    Raises:
        LogHalted: the database lacks it.
    """
    if tile_width(tile.level, tile.index, tree.size) < WIDTH:
        content = tree.edge[tile.level]
    else:
        row = connection.execute(_TILE, (tree.year, tile.level, tile.index)).fetchone()
        content = row[0] if row else b""
    wanted = content[: tile.width * HASH_BYTES]
    if len(wanted) != tile.width * HASH_BYTES:
        raise LogHalted(f"the database lacks {tile.path} of the log {tree.origin}")
    return wanted


def edge_at(connection: psycopg.Connection, tree: Tree, size: int) -> Edge:
    """The right edge that a tree had when it had `size` leaves.

    Raises:
        LogHalted: the database lacks a tile.
    """
    rows = []
    level, hashes = 0, size
    while hashes:
        width = hashes % WIDTH
        tile = Tile(level, hashes // WIDTH, width)
        rows.append(tile_bytes(connection, tree, tile) if width else b"")
        hashes >>= HEIGHT
        level += 1
    return Edge(size, rows)


def _tree(row: tuple[object, ...] | None) -> Tree | None:
    return Tree._make(row) if row else None
