"""Recomputing a tree from what was written, before anything is signed over it.

A flipped bit between hashing and signing once cost a public log its life: the signed tree no longer
was that of its entries. So hashes are made again from the stored leaves, and tiles, edge and root
from those hashes.
"""

import psycopg

from dtsen.audit.halt import LogHalted
from dtsen.audit.tree import Tree, rows_of, tile_bytes
from dtsen.tlog.tiles import Edge

MOST_AT_ONCE = 10_000

_WRITTEN = """
SELECT sha256('\\x00'::bytea || r.leaf)
FROM audit.leaf l LEFT JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE l.year = %s AND l.index >= %s AND l.index < %s
ORDER BY l.index
"""


def recompute(connection: psycopg.Connection, tree: Tree, edge: Edge) -> Edge:
    """Grow a checked edge to the tree's size from the stored leaves alone.

    Raises:
        LogHalted: what is stored is not what was hashed.
    """
    edge = Edge(edge.size, rows_of(edge))
    while edge.size < tree.size:
        start = edge.size
        end = min(tree.size, start + MOST_AT_ONCE)
        rows = connection.execute(_WRITTEN, (tree.year, start, end)).fetchall()
        hashes = [row[0] for row in rows]
        if len(hashes) != end - start or None in hashes:
            raise LogHalted(f"not every leaf from {start} to {end} of {tree.origin} has a record")
        for tile, content in edge.append(hashes):
            if tile_bytes(connection, tree, tile) != content:
                raise LogHalted(f"{tile.path} of {tree.origin} is not what its leaves say")
    if rows_of(edge) != list(tree.edge) or edge.root() != tree.root:
        raise LogHalted(f"the root of {tree.size} leaves of {tree.origin} is not what they say")
    return edge
