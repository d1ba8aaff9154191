"""The published log as one worker serves it: files, and entries for those who may read them.

Only what a published checkpoint covers is served, and never a smaller size than before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg

from dtsen.audit.halt import LogHalted
from dtsen.audit.publication import CHECKPOINT, KEY, Publication, read_checkpoint
from dtsen.database import OUTAGES
from dtsen.errors import Unavailable
from dtsen.tlog.merkle import ProofInvalid, inclusion_path, leaf_hash, verify_inclusion
from dtsen.tlog.proof import ProofFile
from dtsen.tlog.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TileInvalid,
    join_entries,
    tile_reader,
    tile_width,
)

_ENTRIES = """
SELECT r.leaf
FROM audit.leaf l LEFT JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE l.year = $1 AND l.index >= $2 AND l.index < $3
ORDER BY l.index
"""
_PATIENCE = "SET LOCAL statement_timeout = '3s'"


class PublishedLog:
    """One worker's view. Its file methods block for the time of a small read.

    All of them may raise Unavailable: the store that holds the publication does not answer.
    """

    def __init__(self, publication: Publication, pool: asyncpg.Pool) -> None:
        """Take a pool of the auditor's login, for entries."""
        self._publication = publication
        self._pool = pool
        self._served: dict[int, tuple[int, bytes]] = {}

    def current_year(self) -> int | None:
        """The year of the newest log that has a checkpoint; None before the first."""
        with _reached():
            return self._publication.newest_published()

    def checkpoint(self, year: int) -> bytes | None:
        """The published checkpoint of a year, the largest that this worker ever saw."""
        return self._largest(year)[1] or None

    def size(self, year: int) -> int:
        """How many leaves the published checkpoint covers; 0 where there is none."""
        return self._largest(year)[0]

    def key(self, year: int) -> bytes | None:
        """The verifier keys of a year's log, once it has a checkpoint."""
        if self._largest(year)[0] == 0:
            return None
        return self._file(year, KEY)

    def tile(self, year: int, tile: Tile) -> bytes | None:
        """A tile, if a published checkpoint covers it and it is kept."""
        if tile.level == ENTRIES or not self._covers(year, tile):
            return None
        return self._file(year, tile.path)

    def timestamp(self, year: int, name: str) -> bytes | None:
        """A file of a year's timestamps, by its name."""
        return self._file(year, f"timestamp/{name}")

    async def entries(self, year: int, tile: Tile) -> bytes | None:
        """An entry bundle, if a published checkpoint covers it; a lost leaf is an empty entry.

        Raises:
            Unavailable: the log cannot be read, or not in time.
        """
        if tile.level != ENTRIES or not self._covers(year, tile):
            return None
        start = tile.index * WIDTH
        try:
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(_PATIENCE)
                rows = await connection.fetch(_ENTRIES, year, start, start + tile.width)
        except OUTAGES as error:
            raise Unavailable from error
        leaves: Sequence[bytes] = [row["leaf"] or b"" for row in rows]
        if len(leaves) != tile.width:
            raise Unavailable  # the database was set back; what was published is not there
        return join_entries(leaves)

    def proof(self, year: int, index: int, leaf: bytes) -> bytes | None:
        """The proof file of a leaf, from published tiles; None until a checkpoint covers it.

        Raises:
            LogHalted: the leaf is not what was merged, or a published tile is gone.
        """
        size, note = self._largest(year)
        if index >= size:
            return None
        read = tile_reader(lambda tile: self._file(year, tile.path) or b"", size)
        try:
            path = inclusion_path(index, size, read)
            root = read_checkpoint(note).root
            verify_inclusion(leaf_hash(leaf), index, size, path, root)
        except (TileInvalid, ProofInvalid) as error:
            raise LogHalted(f"leaf {index} of {year} cannot be proved: {error}") from None
        return bytes(ProofFile(leaf, index, path, note))

    def _file(self, year: int, path: str) -> bytes | None:
        with _reached():
            return self._publication.file(year, path)

    def _covers(self, year: int, tile: Tile) -> bool:
        return 0 < tile.width <= tile_width(tile.level, tile.index, self.size(year))

    def _largest(self, year: int) -> tuple[int, bytes]:
        size, note = self._served.get(year, (0, b""))
        found = self._file(year, CHECKPOINT)
        if found is not None and found != note:
            try:
                read = read_checkpoint(found).size
            except LogHalted:
                return size, note
            if read > size:
                size, note = self._served[year] = read, found
        return size, note


@contextmanager
def _reached() -> Iterator[None]:
    """Tell a store that is away as every other outage is told."""
    try:
        yield
    except OSError as error:
        raise Unavailable from error
