"""What outsiders fetch, as files: tiles, keys and checkpoints, laid out as their URLs are.

A reader finds a file whole or not at all. Tiles never change. The checkpoint is put in its place
last, when all that it needs is there. The guard is kept apart from database and publication: it
remembers the last checkpoint that may have been seen, so that a database that was set back is
noticed.
"""

import fcntl
from collections.abc import Callable
from pathlib import Path

from dtsen.audit.bucket import Bucket
from dtsen.audit.halt import LeadLost, LogHalted
from dtsen.audit.stores import Directory, Store
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import NoteInvalid, read_note
from dtsen.tlog.tiles import WIDTH, Tile, tile_path
from dtsen.verifier.timestamps import SIZES, answer_path, stamped_path

CHECKPOINT = "checkpoint"
KEY = "key"


def store_at(place: str) -> Store:
    """The store that `DTSEN_LOG_URI` names: a folder's path, or `s3://bucket/prefix`."""
    return Bucket(place) if place.startswith("s3://") else Directory(Path(place))


class Publication:
    """One store to publish into, one folder for the guard."""

    def __init__(self, store: Store, guard: Path) -> None:
        """Take where `<year>/checkpoint` and so on lie, and the guard's folder."""
        self.store = store
        self._folder = guard
        self._guard = Directory(guard)

    def checkpoint(self, year: int) -> bytes | None:
        """The published checkpoint of a year."""
        return self.store.read(f"{year}/{CHECKPOINT}")

    def guard(self, year: int) -> bytes | None:
        """The last checkpoint of a year that may have been published."""
        return self._guard.read(str(year))

    def newest_year(self) -> int | None:
        """The newest year of which a checkpoint may have been published."""
        guarded = [int(path.name) for path in self._folder.glob("[0-9]*")]
        return max([*guarded, *self.store.years(CHECKPOINT)], default=None)

    def last(self, year: int) -> Checkpoint | None:
        """The larger of a year's guard and published checkpoint.

        Raises:
            LogHalted: one of them cannot be read.
        """
        notes = [note for note in (self.guard(year), self.checkpoint(year)) if note is not None]
        return max(
            (read_checkpoint(note) for note in notes), key=lambda one: one.size, default=None
        )

    def put_key(self, year: int, keys: bytes) -> None:
        """Publish the verifier keys of a year."""
        if self.file(year, KEY) != keys:
            self.store.write(f"{year}/{KEY}", keys)

    def put_tile(self, year: int, tile: Tile, content: bytes) -> None:
        """Publish a tile.

        Raises:
            LogHalted: another tile was published in its place.
        """
        there = self.file(year, tile.path)
        if there is None:
            self.store.write(f"{year}/{tile.path}", content)
        elif there != content:
            place = self.store.locate(f"{year}/{tile.path}")
            raise LogHalted(f"{place} was published with other hashes than the database has")

    def newest_published(self) -> int | None:
        """The newest year that has a published checkpoint."""
        return max(self.store.years(CHECKPOINT), default=None)

    def file(self, year: int, path: str) -> bytes | None:
        """A published file of a year's log, by its path below the log's prefix."""
        return self.store.read(f"{year}/{path}")

    def put_checkpoint(self, year: int, note: bytes, reached: Callable[[str], None]) -> None:
        """Remember a checkpoint in the guard, then publish it. One process at a time.

        Raises:
            LeadLost: a larger one was published meanwhile.
            LogHalted: another root was published for the same size.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.checkpoint(year)
            mine, last = read_checkpoint(note), self.last(year)
            if last is not None and last.size > mine.size:
                raise LeadLost
            if last is not None and last.size == mine.size and last.root != mine.root:
                raise LogHalted(f"another root of {mine.size} leaves was published")
            self._guard.write(str(year), note)
            reached("guarded")
            if not self.store.swap(f"{year}/{CHECKPOINT}", before, note):
                raise LeadLost

    def put_timestamp(self, year: int, size: int, note: bytes, answer: bytes) -> None:
        """Publish a timestamp over a checkpoint's bytes; it is listed last, when it is whole."""
        self.store.write(f"{year}/{stamped_path(size)}", note)
        self.store.write(f"{year}/{answer_path(size)}", answer)
        sizes = (self.file(year, SIZES) or b"") + f"{size}\n".encode()
        self.store.write(f"{year}/{SIZES}", sizes)

    def prune(self, year: int, tile: Tile) -> None:
        """Remove the partial tiles of a place whose full tile is published."""
        full = f"{year}/{tile_path(tile.level, tile.index, WIDTH)}"
        if self.store.has(full):
            self.store.clear(f"{full}.p")


def read_checkpoint(note: bytes) -> Checkpoint:
    """The checkpoint in a note of our own, whose signatures are not looked at.

    Raises:
        LogHalted: it is none.
    """
    try:
        return Checkpoint.parse(read_note(note)[0])
    except NoteInvalid as error:
        raise LogHalted(f"a published checkpoint or its guard is no checkpoint: {error}") from None
