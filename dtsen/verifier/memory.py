"""What a verifier remembers of a log: keys to believe, the last checkpoint verified, where it was.

A file of the verifier's own: whoever keeps the log must not be able to change it.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.encoding import decode_base64, encode_base64
from dtsen.tlog.notes import read_note
from dtsen.tlog.tiles import Edge


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of one log."""

    origin: str
    keys: Sequence[str] = ()
    """Verifier key lines that are believed."""
    note: bytes | None = None
    """The last checkpoint verified, as it was published."""
    edge: Edge = field(default_factory=Edge)
    """The tree's edge at that checkpoint."""
    unfinished: Edge | None = None
    """How far a check of the whole log had come that was interrupted."""

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint verified."""
        return None if self.note is None else Checkpoint.parse(read_note(self.note)[0])


class Memory:
    """A folder with one file for each log."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when there is something to remember."""
        self._folder = folder

    def recall(self, origin: str) -> Remembered:
        """What is remembered of a log; nothing, if it was never verified.

        Raises:
            ValueError: the file is not one that this program wrote.
        """
        try:
            told = json.loads(self._file(origin).read_text())
        except FileNotFoundError:
            return Remembered(origin)
        try:
            return Remembered(
                origin,
                told["keys"],
                None if told["note"] is None else told["note"].encode(),
                _edge(told["edge"]),
                None if told["unfinished"] is None else _edge(told["unfinished"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ValueError(f"{self._file(origin)} is damaged") from None

    def keep(self, remembered: Remembered) -> None:
        """Remember; the file is replaced whole or not at all."""
        file = self._file(remembered.origin)
        self._folder.mkdir(parents=True, exist_ok=True)
        told = {
            "origin": remembered.origin,
            "keys": list(remembered.keys),
            "note": None if remembered.note is None else remembered.note.decode(),
            "edge": _told(remembered.edge),
            "unfinished": remembered.unfinished and _told(remembered.unfinished),
        }
        draft = file.with_suffix(".new")
        with draft.open("w") as writing:
            json.dump(told, writing, indent=1)
            writing.flush()
            os.fsync(writing.fileno())
        draft.replace(file)

    def keep_evidence(self, checkpoint: Checkpoint, note: bytes) -> Path:
        """Keep a checkpoint that contradicts what is remembered; gives its file."""
        file = self._file(checkpoint.origin).with_suffix(f".{checkpoint.size}.evidence")
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(note)
        return file

    def keep_keys(self, remembered: Remembered, keys: Sequence[str]) -> Remembered:
        """Believe more keys of a log from now on."""
        known = [*remembered.keys, *(one for one in keys if one not in remembered.keys)]
        changed = replace(remembered, keys=known)
        self.keep(changed)
        return changed

    def _file(self, origin: str) -> Path:
        return self._folder / f"{re.sub('[^A-Za-z0-9.-]', '_', origin)}.json"


def _told(edge: Edge) -> dict[str, Any]:
    return {"size": edge.size, "rows": [encode_base64(row) for row in edge.rows]}


def _edge(told: dict[str, Any]) -> Edge:
    return Edge(told["size"], [decode_base64(row) for row in told["rows"]])
