"""Where a log is read from: a folder as published, a copy of it, a mirror over HTTP."""

from pathlib import Path
from typing import Protocol

from dtsen.tlog.tiles import ENTRIES, HEIGHT, WIDTH, Tile, TileInvalid, split_entries, split_tile
from dtsen.verifier.faults import Absent, LogFault, Unreachable

CHECKPOINT = "checkpoint"
KEY = "key"


class Source(Protocol):
    """One log of one year."""

    def read(self, path: str) -> bytes:
        """The bytes at a path below the log's prefix.

        Raises:
            Absent: there is nothing.
            Refused: it is not open to this caller.
            Unreachable: no answer.
        """
        ...

    def __str__(self) -> str:
        """What to call it."""
        ...


class Folder:
    """A log as files: what `DTSEN_LOG_URI` holds for one year, or a copy."""

    def __init__(self, path: Path) -> None:
        """Take the folder that holds `checkpoint` and `tile`."""
        self._path = path

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            Absent: there is none.
            Unreachable: it cannot be read.
        """
        try:
            return (self._path / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise Absent(path) from None
        except OSError as error:
            raise Unreachable(f"{self._path / path}: {error.strerror}") from None

    def holds_entries(self) -> bool:
        """Whether entry bundles lie beside the tiles."""
        return (self._path / "tile" / "entries").is_dir()

    def __str__(self) -> str:
        """The folder."""
        return str(self._path)


def logs_below(path: Path) -> list[Path]:
    """The folders of the logs in a folder, oldest year first; the folder itself if it is one."""
    if (path / CHECKPOINT).is_file():
        return [path]
    return sorted(one.parent for one in path.glob(f"[0-9]*/{CHECKPOINT}"))


def read_hashes(source: Source, tile: Tile) -> list[bytes]:
    """The hashes of a tile; of the full one, if the partial one has given way to it.

    Raises:
        LogFault: the source lacks it, or it is malformed.
    """
    content, whole = _read(source, tile)
    try:
        return split_tile(whole, content)[: tile.width]
    except TileInvalid as error:
        raise LogFault(str(error), first_entry(tile)) from None


def read_entries(source: Source, tile: Tile) -> list[bytes]:
    """The entries beside a tile of level 0.

    Raises:
        LogFault: the source lacks their bundle, or it is malformed.
        Refused: entries are not open to this caller.
    """
    content, whole = _read(source, Tile(ENTRIES, tile.index, tile.width))
    try:
        return split_entries(whole, content)[: tile.width]
    except TileInvalid as error:
        raise LogFault(str(error), first_entry(tile)) from None


def first_entry(tile: Tile) -> int:
    """The first entry that a tile is about."""
    return tile.index << HEIGHT * (max(tile.level, 0) + 1)


def _read(source: Source, tile: Tile) -> tuple[bytes, Tile]:
    for one in (tile, Tile(tile.level, tile.index, WIDTH)):
        try:
            return source.read(one.path), one
        except Absent:
            continue
    raise LogFault(f"{tile.path} is missing", first_entry(tile))
