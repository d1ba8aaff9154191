"""Taking records up into the tree: their indexes, their places and the tree's growth, all at once.

One transaction, under the lock of the tree's row: whoever else believed to lead waits there, and
then takes other records. What it does is undone by a crash, or durable as a whole.
"""

import logging
from collections.abc import Callable
from uuid import UUID

import psycopg

from dtsen.audit.halt import LogHalted
from dtsen.audit.tree import grow, lock_open_tree

log = logging.getLogger(__name__)

Reached = Callable[[str], None]
"""Told each step by its name, so that a test can end the process there."""

MOST_AT_ONCE = 1_000

PACKED = "r.subjects || r.families || coalesce(r.officer, '') || coalesce(r.case_ref, '')"
"""All keyed indexes of a record, 16 bytes each, so that they can be cut from one string."""
MENTIONED = """
    INSERT INTO audit.mention (value, recorded_at, record)
    SELECT substr(k.packed, 16 * n + 1, 16), k.recorded_at, k.id
    FROM known k CROSS JOIN LATERAL generate_series(0, length(k.packed) / 16 - 1) AS n
    ON CONFLICT DO NOTHING
"""
_TAKE = f"""
WITH taken AS (
    DELETE FROM audit.pending p
    USING ({{chosen}}) AS oldest
    WHERE p.recorded_at = oldest.recorded_at AND p.id = oldest.id
    RETURNING p.recorded_at, p.id
), known AS MATERIALIZED (
    SELECT r.recorded_at, r.id, sha256('\\x00'::bytea || r.leaf) AS hash,
        %(size)s::bigint - 1 + row_number() OVER (ORDER BY r.recorded_at, r.id) AS index,
        {PACKED} AS packed
    FROM taken t JOIN audit.record r ON r.recorded_at = t.recorded_at AND r.id = t.id
), mentioned AS ({MENTIONED}), placed AS (
    INSERT INTO audit.leaf (year, index, recorded_at, record)
    SELECT %(year)s, k.index, k.recorded_at, k.id FROM known k
)
SELECT (SELECT count(*) FROM taken), array(SELECT k.hash FROM known k ORDER BY k.index)
"""  # noqa: S608 - of our own parts
_TAKE_OLDEST = _TAKE.format(
    chosen="SELECT w.recorded_at, w.id FROM audit.pending w ORDER BY w.recorded_at, w.id"
    " LIMIT %(most)s"
)
_TAKE_ONE = _TAKE.format(
    chosen="SELECT w.recorded_at, w.id FROM audit.pending w WHERE w.id = %(record)s"
)


def nothing(_: str) -> None:
    """Do nothing at a step."""


def merge(connection: psycopg.Connection, most: int, reached: Reached = nothing) -> int:
    """Take up the oldest pending records, at most `most`; how many there were.

    Raises:
        LogHalted: no log is open.
    """
    reached("before merge")
    with connection.transaction():
        taken = _take(connection, _TAKE_OLDEST, {"most": most})
        reached("before merge commits")
    reached("merged")
    return taken


def take_one(connection: psycopg.Connection, record: UUID) -> None:
    """Take up one pending record as the next leaf, inside the present transaction.

    Raises:
        LogHalted: no log is open.
    """
    _take(connection, _TAKE_ONE, {"record": record})


def _take(connection: psycopg.Connection, statement: str, parameters: dict[str, object]) -> int:
    tree = lock_open_tree(connection)
    if tree is None:
        raise LogHalted("no log is open")
    row = connection.execute(
        statement, {**parameters, "year": tree.year, "size": tree.size}
    ).fetchone()
    taken, hashes = row or (0, [])
    if len(hashes) < taken:
        log.error("sequencer: %d records were pending that the log lacks", taken - len(hashes))
    if hashes:
        grow(connection, tree, hashes)
    count: int = taken
    return count
