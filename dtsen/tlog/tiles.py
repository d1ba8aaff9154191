"""C2SP tlog-tiles: where the tree's hashes and entries are kept, and their bytes.

A tile holds up to 256 consecutive hashes of one level: leaves' at level 0, roots of full tiles of
the level below above it. Entry bundles have the coordinates of level 0.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dtsen.tlog.merkle import HASH_BYTES, Read, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES
ENTRIES = -1
"""What stands for the level of an entry bundle."""
MOST_ENTRY_BYTES = (1 << 16) - 1
HIGHEST = 63
"""The highest level that a path may name."""

_PREFIX_BYTES = 2
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


class TileInvalid(ValueError):
    """Bytes or a path that no tile or bundle of this place can have."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Coordinates of a tile, or with level `ENTRIES` of an entry bundle."""

    level: int
    index: int
    width: int
    """How many hashes or entries it holds: 256 when full."""

    @property
    def path(self) -> str:
        """Its path below the log's prefix."""
        return tile_path(self.level, self.index, self.width)


def tile_path(level: int, index: int, width: int) -> str:
    """The path of a tile below the log's prefix, such as `tile/0/x001/234.p/5`."""
    name = f"{index % 1000:03}"
    while index := index // 1000:
        name = f"x{index % 1000:03}/{name}"
    suffix = f".p/{width}" if width < WIDTH else ""
    return f"tile/{'entries' if level == ENTRIES else level}/{name}{suffix}"


def parse_tile_path(path: str) -> Tile:
    """The coordinates in a path.

    Raises:
        TileInvalid: it is not the one path of any tile.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise TileInvalid("not the path of a tile")
    level, index, width = found.groups()
    tile = Tile(
        ENTRIES if level == "entries" else int(level),
        int(index.replace("x", "").replace("/", "")),
        int(width or WIDTH),
    )
    if tile.level > HIGHEST or tile.path != path:
        raise TileInvalid("not the path of a tile")
    return tile


def tile_width(level: int, index: int, size: int) -> int:
    """How wide a tile is in a tree of `size` leaves; 0 where the tree has no such tile."""
    hashes = size >> HEIGHT * max(level, 0)
    return min(max(hashes - index * WIDTH, 0), WIDTH)


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """The tiles of a tree of `new` leaves that its beginning of `old` leaves lacks, by level."""
    level = 0
    while new >> HEIGHT * level:
        yield from _row_between(level, old, new)
        level += 1


def bundles_between(old: int, new: int) -> Iterator[Tile]:
    """The entry bundles of a tree of `new` leaves that its beginning of `old` leaves lacks."""
    return _row_between(ENTRIES, old, new)


def _row_between(level: int, old: int, new: int) -> Iterator[Tile]:
    had, has = (size >> HEIGHT * max(level, 0) for size in (old, new))
    if has > had:
        for index in range(had // WIDTH, -(-has // WIDTH)):
            yield Tile(level, index, tile_width(level, index, new))


def tile_of(level: int, index: int, size: int) -> Tile:
    """The tile, in a tree of `size` leaves, that the complete run `(level, index)` is read from."""
    row, inside = divmod(level, HEIGHT)
    place = (index << inside) // WIDTH
    return Tile(row, place, tile_width(row, place, size))


def split_tile(tile: Tile, content: bytes) -> list[bytes]:
    """The hashes in a tile's bytes.

    Raises:
        TileInvalid: it has another length than its width says.
    """
    if len(content) != tile.width * HASH_BYTES:
        raise TileInvalid(f"{tile.path} holds {len(content)} bytes")
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]


def tile_reader(fetch: Callable[[Tile], bytes], size: int) -> Read:
    """Reads runs of a tree of `size` leaves from tiles; each is fetched once.

    Raises (when reading):
        TileInvalid: a tile has another length than its width says.
    """
    kept: dict[Tile, list[bytes]] = {}

    def read(level: int, index: int) -> bytes:
        tile = tile_of(level, index, size)
        if tile not in kept:
            kept[tile] = split_tile(tile, fetch(tile))
        inside = level % HEIGHT
        start = (index << inside) % WIDTH
        return root_of(kept[tile][start : start + (1 << inside)])

    return read


def join_entries(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle: each entry after its length in two bytes.

    Raises:
        TileInvalid: an entry is longer than 65,535 bytes.
    """
    if any(len(entry) > MOST_ENTRY_BYTES for entry in entries):
        raise TileInvalid("an entry is too long for a bundle")
    return b"".join(len(entry).to_bytes(_PREFIX_BYTES) + entry for entry in entries)


def split_entries(tile: Tile, content: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        TileInvalid: it holds another number of entries than its width says, or half of one.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(content) and len(entries) < tile.width:
        start = at + _PREFIX_BYTES
        at = start + int.from_bytes(content[at:start])
        entries.append(content[start:at])
    if at != len(content) or len(entries) != tile.width:
        raise TileInvalid(f"{tile.path} does not hold {tile.width} entries")
    return entries


class Edge:
    """The right edge of a growing tree: the partial tile of each level. All that growing needs."""

    def __init__(self, size: int = 0, partial: Sequence[bytes] = ()) -> None:
        """Take up a tree of `size` leaves whose partial tiles by level are `partial`.

        Raises:
            TileInvalid: these are not the partial tiles of a tree of that size.
        """
        widths = [*_digits(size)]
        if [len(row) for row in partial] != [width * HASH_BYTES for width in widths]:
            raise TileInvalid(f"not the partial tiles of {size} leaves")
        self.size = size
        self._rows = list(partial)

    def append(self, hashes: Sequence[bytes]) -> list[tuple[Tile, bytes]]:
        """Add the hashes of new leaves; gives the tiles that became full, lower levels first."""
        full: list[tuple[Tile, bytes]] = []
        level, risen = 0, b"".join(hashes)
        while risen:
            if level == len(self._rows):
                self._rows.append(b"")
            row = self._rows[level] + risen
            first = self.size >> HEIGHT * (level + 1)
            cuts = range(0, len(row) - len(row) % TILE_BYTES + 1, TILE_BYTES)
            done = [row[start:end] for start, end in pairwise(cuts)]
            full += [(Tile(level, first + at, WIDTH), tile) for at, tile in enumerate(done)]
            risen = b"".join(map(_root, done))
            self._rows[level] = row[cuts[-1] :]
            level += 1
        self.size += len(hashes)
        return full

    @property
    def rows(self) -> list[bytes]:
        """The partial tiles by level, empty ones included, as the constructor takes them up."""
        return list(self._rows)

    def copy(self) -> "Edge":
        """The same edge, to grow apart from this one."""
        return Edge(self.size, self._rows)

    def partial(self) -> list[tuple[Tile, bytes]]:
        """The partial tiles, lower levels first."""
        return [
            (Tile(level, self.size >> HEIGHT * (level + 1), len(row) // HASH_BYTES), row)
            for level, row in enumerate(self._rows)
            if row
        ]

    def root(self) -> bytes:
        """The root of the tree."""
        risen: list[bytes] = []
        for row in self._rows:
            whole = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)] + risen
            risen = [root_of(whole)] if whole else []
        return risen[0] if risen else root_of(())


def _root(content: bytes) -> bytes:
    return root_of([content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)])


def _digits(size: int) -> Iterator[int]:
    while size:
        yield size % WIDTH
        size >>= HEIGHT
