"""C2SP tlog-checkpoint: a log's size and root at one moment, as a signed note."""

from collections.abc import Iterable
from typing import NamedTuple

from dtsen.tlog.encoding import decode_base64, decode_decimal, encode_base64
from dtsen.tlog.merkle import HASH_BYTES
from dtsen.tlog.notes import ED25519, Note, NoteInvalid, Verifier, open_note

LINES = 3


class Checkpoint(NamedTuple):
    """A log's tree at one size."""

    origin: str
    """Which log: the name of its key."""
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text: three lines and no extensions."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """A checkpoint from a note's text.

        Raises:
            NoteInvalid: it is not exactly three lines in their one spelling.
        """
        lines = text.split("\n")
        if len(lines) != LINES + 1 or lines[LINES] or not lines[0]:
            raise NoteInvalid("a checkpoint has three lines")
        try:
            checkpoint = cls(lines[0], decode_decimal(lines[1]), decode_base64(lines[2]))
        except ValueError as error:
            raise NoteInvalid(f"a checkpoint's size or root is {error}") from None
        if len(checkpoint.root) != HASH_BYTES:
            raise NoteInvalid("a checkpoint's root has another length")
        return checkpoint


def open_checkpoint(content: bytes, verifiers: Iterable[Verifier]) -> tuple[Checkpoint, Note]:
    """A checkpoint that its own log's key signed, with whoever else signed it.

    `verifiers` are keys of logs and of witnesses; a log's key is named as its origin.

    Raises:
        NoteInvalid: it is malformed, or no known key of the log that it names signed it.
    """
    known = list(verifiers)
    note = open_note(content, known)
    checkpoint = Checkpoint.parse(note.text)
    logs = [one for one in known if one.kind == ED25519 and one.name == checkpoint.origin]
    if not any(note.signed_by(one) for one in logs):
        raise NoteInvalid("the checkpoint is not signed by the log that it names")
    return checkpoint, note
