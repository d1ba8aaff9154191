"""The way out after a database was set back: take up again what was published, and go on there.

A restored backup, or a failover that lost transactions, knows fewer leaves than were published. The
published tiles still hold the hashes of all of them. They are taken back into the tree, each with
its record where that is still waiting in the database, so that the log goes on without ever signing
a second root for a size. Which leaves lost their records is itself a leaf.
"""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from dtsen.audit.administration import Deed, record
from dtsen.audit.halt import LogHalted
from dtsen.audit.merging import MENTIONED, PACKED, take_one
from dtsen.audit.publication import Publication
from dtsen.audit.signing import held_for
from dtsen.audit.tree import Tree, close_tree, edge_at, grow, insert_tree, lock_open_tree, tree_of
from dtsen.audit.years import TYP, Years, prepare
from dtsen.clock import Clock
from dtsen.keys import Keyring
from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.notes import NoteInvalid, Verifier
from dtsen.tlog.tiles import WIDTH, Tile, TileInvalid, split_tile, tile_width

_ADOPT = f"""
WITH adopted AS (
    SELECT * FROM unnest(%(indexes)s::bigint[], %(hashes)s::bytea[]) AS a (index, hash)
), waiting AS MATERIALIZED (
    SELECT p.recorded_at, p.id, sha256('\\x00'::bytea || r.leaf) AS hash, {PACKED} AS packed
    FROM audit.pending p JOIN audit.record r ON r.recorded_at = p.recorded_at AND r.id = p.id
), known AS MATERIALIZED (
    SELECT a.index, w.recorded_at, w.id, w.packed FROM adopted a LEFT JOIN waiting w USING (hash)
), taken AS (
    DELETE FROM audit.pending p USING known k
    WHERE p.recorded_at = k.recorded_at AND p.id = k.id
), mentioned AS ({MENTIONED}), placed AS (
    INSERT INTO audit.leaf (year, index, recorded_at, record)
    SELECT %(year)s, k.index, k.recorded_at, k.id FROM known k
)
SELECT count(*) FILTER (WHERE k.id IS NULL) FROM known k
"""  # noqa: S608 - of our own parts
_KEEP = """
INSERT INTO audit.checkpoint (year, size, root, note) VALUES (%s, %s, %s, %s)
ON CONFLICT (year, size) DO NOTHING
"""


class Recovered(NamedTuple):
    """What was taken up again of one log."""

    origin: str
    since: int
    """The first leaf that the database did not have."""
    size: int
    lost: int
    """Leaves of which only the hash is left."""


def recover(
    connection: psycopg.Connection,
    keyring: Keyring,
    clock: Clock,
    publication: Publication,
    issuer: str,
) -> list[Recovered]:
    """Take up again what was published beyond what the database knows.

    The caller leads (holds the sequencer's lock).

    Raises:
        LogHalted: the database's tree is not the beginning of what was published.
    """
    newest = publication.newest_year()
    if newest is None:
        raise LogHalted("nothing was published: there is nothing to take up again")
    years, done = Years(keyring, clock, issuer), []
    for year in range(_first(connection, newest), newest + 1):
        last = publication.last(year)
        if last is not None:
            prepare(connection, year, last.size)
            with connection.transaction():
                tree = _opened(connection, years, year)
                keys = held_for(keyring, tree, clock.now()).every
                done += _adopt(connection, publication, tree, last, keys)
                if year < newest and not tree.closed:
                    close_tree(connection, tree)
    with connection.transaction():
        for one in done:
            said = {"typ": TYP, **one._asdict()}
            take_one(connection, record(connection, keyring, Deed("log.recover", clear=said)))
    return done


def _first(connection: psycopg.Connection, newest: int) -> int:
    row = connection.execute("SELECT max(year) FROM audit.tree").fetchone()
    return newest if row is None or row[0] is None else int(row[0])


def _opened(connection: psycopg.Connection, years: Years, year: int) -> Tree:
    tree = tree_of(connection, year)
    if tree is None:
        insert_tree(connection, year, years.origin(year), years.key(year))
    tree = lock_open_tree(connection) or tree_of(connection, year)
    if tree is None or tree.year != year:
        raise LogHalted(f"the log of {year} cannot be opened again")
    return tree


def _adopt(
    connection: psycopg.Connection,
    publication: Publication,
    tree: Tree,
    last: Checkpoint,
    keys: Sequence[Verifier],
) -> list[Recovered]:
    note = next(
        one
        for one in (publication.guard(tree.year), publication.checkpoint(tree.year))
        if one is not None and f"\n{last.size}\n".encode() in one
    )
    try:
        open_checkpoint(note, keys)
    except NoteInvalid as error:
        raise LogHalted(f"what was published is not signed by the log: {error}") from None
    hashes = _published(publication, tree, last.size)
    edge = edge_at(connection, tree, min(tree.size, last.size))
    edge.append(hashes)
    if edge.root() != last.root:
        raise LogHalted(f"the database's tree of {tree.origin} does not lead to the published one")
    if not hashes:
        return []
    indexes = list(range(tree.size, last.size))
    asked = {"year": tree.year, "indexes": indexes, "hashes": hashes}
    row = connection.execute(_ADOPT, asked).fetchone()
    grow(connection, tree, hashes)
    connection.execute(_KEEP, (tree.year, last.size, last.root, note))
    return [Recovered(tree.origin, tree.size, last.size, row[0] if row else 0)]


def _published(publication: Publication, tree: Tree, size: int) -> list[bytes]:
    """The hashes of the leaves that were published and that the database lacks."""
    hashes: list[bytes] = []
    for index in range(tree.size // WIDTH, -(-size // WIDTH)):
        tile = Tile(0, index, tile_width(0, index, size))
        try:
            hashes += split_tile(tile, publication.file(tree.year, tile.path) or b"")
        except TileInvalid as error:
            raise LogHalted(f"a published tile of {tree.origin} is gone: {error}") from None
    return hashes[tree.size % WIDTH :] if tree.size < size else []
