"""Where files for outsiders lie: by their path below a prefix, each there whole or not at all.

A file is written beside its place, made durable, and then renamed to it. `bucket` keeps the same
promises in an S3-compatible store.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """What is published, and by whom it is read. Every method may raise OSError: out of reach."""

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where there is none."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Put a file in its place; it is durable when this returns."""
        ...

    def swap(self, path: str, before: bytes | None, content: bytes) -> bool:
        """Put a file in the place of `before`; whether that still lay there."""
        ...

    def has(self, path: str) -> bool:
        """Whether there is a file."""
        ...

    def clear(self, path: str) -> None:
        """Remove the files directly below a path, if there are any."""
        ...

    def years(self, name: str) -> Sequence[int]:
        """The years below which a file of this name lies."""
        ...

    def locate(self, path: str) -> str:
        """What to call a file where a person reads it."""
        ...


class Directory:
    """A folder of this machine, or one that several share."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not be there yet."""
        self.folder = folder

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where there is none."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, content: bytes) -> None:
        """Put a file in its place; it is durable when this returns."""
        place = self.folder / path
        _ensure(place.parent)
        draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(place)
        finally:
            draft.unlink(missing_ok=True)
        _sync(place.parent)

    def swap(self, path: str, before: bytes | None, content: bytes) -> bool:
        """Put a file in the place of `before`; the caller keeps others out meanwhile."""
        if self.read(path) != before:
            return False
        self.write(path, content)
        return True

    def has(self, path: str) -> bool:
        """Whether there is a file."""
        return (self.folder / path).is_file()

    def clear(self, path: str) -> None:
        """Remove the files directly below a path, if there are any."""
        shutil.rmtree(self.folder / path, ignore_errors=True)

    def years(self, name: str) -> Sequence[int]:
        """The years below which a file of this name lies."""
        return [int(path.parent.name) for path in self.folder.glob(f"[0-9]*/{name}")]

    def locate(self, path: str) -> str:
        """The file's path."""
        return str(self.folder / path)


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
