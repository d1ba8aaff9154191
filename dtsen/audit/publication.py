"""What outsiders fetch, as files: tiles, keys and checkpoints, laid out as their URLs are.

A file is written beside its place, made durable, and then renamed to it, so that a reader finds it
whole or not at all. Tiles never change. The checkpoint is renamed last, when all that it needs is
there. The guard is kept apart from database and publication: it remembers the last checkpoint that
may have been seen, so that a database that was set back is noticed.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dtsen.audit.halt import LeadLost, LogHalted
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import NoteInvalid, read_note
from dtsen.tlog.tiles import WIDTH, Tile, tile_path
from dtsen.verifier.timestamps import SIZES, answer_path, stamped_path

CHECKPOINT = "checkpoint"
KEY = "key"


class Publication:
    """One folder to publish into, one folder for the guard."""

    def __init__(self, folder: Path, guard: Path) -> None:
        """Take the folder below which `<year>/checkpoint` and so on lie, and the guard's."""
        self.folder = folder
        self._guard = guard

    def checkpoint(self, year: int) -> bytes | None:
        """The published checkpoint of a year."""
        return _read(self.folder / str(year) / CHECKPOINT)

    def guard(self, year: int) -> bytes | None:
        """The last checkpoint of a year that may have been published."""
        return _read(self._guard / str(year))

    def newest_year(self) -> int | None:
        """The newest year of which a checkpoint may have been published."""
        found = [self._guard] if self._guard.is_dir() else []
        years = [int(path.name) for folder in found for path in folder.glob("[0-9]*")]
        years += [int(path.parent.name) for path in self.folder.glob(f"[0-9]*/{CHECKPOINT}")]
        return max(years, default=None)

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
        if _read(self.folder / str(year) / KEY) != keys:
            _write(self.folder / str(year) / KEY, keys)

    def put_tile(self, year: int, tile: Tile, content: bytes) -> None:
        """Publish a tile.

        Raises:
            LogHalted: another tile was published in its place.
        """
        path = self.folder / str(year) / tile.path
        there = _read(path)
        if there is None:
            _write(path, content)
        elif there != content:
            raise LogHalted(f"{path} was published with other hashes than the database has")

    def newest_published(self) -> int | None:
        """The newest year that has a published checkpoint."""
        found = self.folder.glob(f"[0-9]*/{CHECKPOINT}")
        return max((int(path.parent.name) for path in found), default=None)

    def file(self, year: int, path: str) -> bytes | None:
        """A published file of a year's log, by its path below the log's prefix."""
        return _read(self.folder / str(year) / path)

    @contextmanager
    def advancing(self, year: int, note: bytes) -> Iterator[None]:
        """Remember a checkpoint in the guard; the block then publishes it. One process at a time.

        Raises:
            LeadLost: a larger one was published meanwhile.
            LogHalted: another root was published for the same size.
        """
        self._guard.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._guard / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            mine, last = read_checkpoint(note), self.last(year)
            if last is not None and last.size > mine.size:
                raise LeadLost
            if last is not None and last.size == mine.size and last.root != mine.root:
                raise LogHalted(f"another root of {mine.size} leaves was published")
            _write(self._guard / str(year), note)
            yield

    def put_checkpoint(self, year: int, note: bytes) -> None:
        """Publish a checkpoint."""
        _write(self.folder / str(year) / CHECKPOINT, note)

    def put_timestamp(self, year: int, size: int, note: bytes, answer: bytes) -> None:
        """Publish a timestamp over a checkpoint's bytes; it is listed last, when it is whole."""
        folder = self.folder / str(year)
        _write(folder / stamped_path(size), note)
        _write(folder / answer_path(size), answer)
        _write(folder / SIZES, (self.file(year, SIZES) or b"") + f"{size}\n".encode())

    def prune(self, year: int, tile: Tile) -> None:
        """Remove the partial tiles of a place whose full tile is published."""
        full = self.folder / str(year) / tile_path(tile.level, tile.index, WIDTH)
        if full.is_file():
            shutil.rmtree(full.with_name(full.name + ".p"), ignore_errors=True)


def read_checkpoint(note: bytes) -> Checkpoint:
    """The checkpoint in a note of our own, whose signatures are not looked at.

    Raises:
        LogHalted: it is none.
    """
    try:
        return Checkpoint.parse(read_note(note)[0])
    except NoteInvalid as error:
        raise LogHalted(f"a published checkpoint or its guard is no checkpoint: {error}") from None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens."""
    _ensure(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _ensure(folder: Path) -> None:
    if not folder.is_dir():
        _ensure(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
