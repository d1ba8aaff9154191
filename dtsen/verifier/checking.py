"""One pass over a log: every hash, tile and entry against a checkpoint that was opened before.

The tree is built anew from the hashes of leaves, and every published tile above them is compared
with what was built. What was verified before is a right edge that is kept: the log must go on from
there, which is a stronger statement than a consistency proof.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple, Protocol

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.merkle import HASH_BYTES, leaf_hash
from dtsen.tlog.tiles import HEIGHT, WIDTH, Edge, Tile, tile_width
from dtsen.verifier.faults import Forked, LogFault
from dtsen.verifier.leaves import leaf_fault
from dtsen.verifier.source import Source, first_entry, read_entries, read_hashes
from dtsen.verifier.story import Story, is_of_the_log

TILES_AT_ONCE = 16
READERS = 8

Progress = Callable[[Edge, int], None]
"""Told the edge so far and the size to reach."""


class Entry(NamedTuple):
    """What some place holds as one entry."""

    content: bytes | None
    """Its bytes; empty where only its hash was kept, none where the place lacks it unsaid."""
    fault: str | None = None
    """What that place itself finds wrong with it."""


class Entries(Protocol):
    """A place that holds entries beside a log's hashes."""

    def read(self, tile: Tile) -> Sequence[Entry]:
        """The entries beside a tile of level 0, as many as it is wide.

        Raises:
            LogFault: they cannot be told apart.
        """
        ...


class Bundles:
    """The entry bundles of a log's own publication."""

    def __init__(self, source: Source) -> None:
        """Take the log."""
        self._source = source

    def read(self, tile: Tile) -> Sequence[Entry]:
        """The entries of the bundle beside a tile."""
        return [Entry(content) for content in read_entries(self._source, tile)]


def check(
    source: Source,
    checkpoint: Checkpoint,
    *,
    edge: Edge,
    entries: Entries | None = None,
    story: Story | None = None,
    before: Checkpoint | None = None,
    progress: Progress = lambda _, __: None,
) -> None:
    """Follow a log from `edge` (which grows) to a checkpoint.

    `before` is a checkpoint verified earlier, met on the way; `story` is told the entries that are
    about the log itself. `progress` is called now and then
    with the edge so far, from which an interrupted check can go on.

    Raises:
        Forked: the tree does not go on from what was verified before.
        LogFault: anything else is wrong; the first wrong entry is named where it can be known.
        Unreachable, Refused: the source does not answer, or not to this caller.
    """
    _require_known(source, edge, checkpoint.size)
    with ThreadPoolExecutor(READERS) as pool:
        for tiles in _batches(_tiles(edge.size, checkpoint.size)):
            read = pool.map(lambda tile: _leaves(source, entries, tile), tiles)
            for tile, (hashes, told) in zip(tiles, read, strict=True):
                if story is not None:
                    for index, content in told:
                        story.tell(index, content)
                _grow(source, edge, tile, hashes, before)
            progress(edge, checkpoint.size)
    for tile, content in edge.partial():
        if tile.level:
            _compare(tile, content, read_hashes(source, tile))
    if story is not None:
        story.end()
    if edge.root() != checkpoint.root:
        raise LogFault(
            f"the tiles do not make the root that the checkpoint of {checkpoint.size} entries has"
        )


def _tiles(start: int, end: int) -> Iterator[Tile]:
    for index in range(start >> HEIGHT, -(-end // WIDTH) if end > start else 0):
        yield Tile(0, index, tile_width(0, index, end))


def _batches(tiles: Iterable[Tile]) -> Iterator[list[Tile]]:
    batch: list[Tile] = []
    for tile in tiles:
        batch.append(tile)
        if len(batch) == TILES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _leaves(
    source: Source, entries: Entries | None, tile: Tile
) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """The hashes of a tile, each held against its entry where there is one; what these tell."""
    hashes = read_hashes(source, tile)
    told = []
    for index, entry in enumerate(entries.read(tile) if entries else (), first_entry(tile)):
        if entry.content is None:
            raise LogFault(entry.fault or "it is gone", index)
        if entry.content:
            if leaf_hash(entry.content) != hashes[index % WIDTH]:
                raise LogFault("its bytes are not those that the tree holds", index)
            fault = entry.fault or leaf_fault(entry.content)
            if fault:
                raise LogFault(fault, index)
        if not entry.content or is_of_the_log(entry.content):
            told.append((index, entry.content))
    return hashes, told


def _grow(
    source: Source,
    edge: Edge,
    tile: Tile,
    hashes: list[bytes],
    before: Checkpoint | None,
) -> None:
    start = first_entry(tile)
    steps = [edge.size, start + len(hashes)]
    if before is not None and steps[0] < before.size <= steps[1]:
        steps.insert(1, before.size)
    for first, last in pairwise(steps):
        for full, content in edge.append(hashes[first - start : last - start]):
            if full.level:
                _compare(full, content, read_hashes(source, full))
        if before is not None and edge.size == before.size and edge.root() != before.root:
            raise Forked(
                f"the first {before.size} entries are not those of the checkpoint verified before"
            )


def _require_known(source: Source, edge: Edge, size: int) -> None:
    """Hold the edge that is kept against the published tiles, upper ones (older entries) first."""
    for tile, kept in reversed(edge.partial()):
        width = tile_width(tile.level, tile.index, size)
        published = read_hashes(source, Tile(tile.level, tile.index, width))
        at = _first_other(kept, published[: tile.width])
        if at is not None:
            first, last = _span(tile, at)
            raise Forked(f"not what was verified before of entries {first} to {last}", first)


def _compare(tile: Tile, built: bytes, published: Sequence[bytes]) -> None:
    at = _first_other(built, published)
    if at is not None:
        first, last = _span(tile, at)
        raise LogFault(
            f"{tile.path} was made of other hashes of entries {first} to {last} than those in the"
            " tiles below it",
            first,
        )


def _first_other(row: bytes, hashes: Sequence[bytes]) -> int | None:
    """The first of some hashes that is not the one in a row of them."""
    cut = (row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES))
    return next(
        (at for at, (one, mine) in enumerate(zip(hashes, cut, strict=True)) if one != mine), None
    )


def _span(tile: Tile, at: int) -> tuple[int, int]:
    """The first and the last entry that a tile's hash is about."""
    span = 1 << HEIGHT * tile.level
    first = (tile.index * WIDTH + at) * span
    return first, first + span - 1
