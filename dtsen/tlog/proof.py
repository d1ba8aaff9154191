"""C2SP tlog-proof: one file that proves, offline, that a leaf is in a log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.encoding import decode_base64, decode_decimal, encode_base64
from dtsen.tlog.merkle import HASH_BYTES, ProofInvalid, leaf_hash, verify_inclusion
from dtsen.tlog.notes import MOST_NOTE_BYTES, Verifier

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class ProofFile:
    """What a proof file says. Here `extra` is the leaf itself: it is what is proved."""

    extra: bytes | None
    index: int
    path: Sequence[bytes]
    checkpoint: bytes
    """The signed note, as it was published."""

    def __bytes__(self) -> bytes:
        """The file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(encode_base64, self.path)
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    @classmethod
    def parse(cls, content: bytes) -> "ProofFile":
        """Read a file; nothing in it is judged.

        Raises:
            ProofInvalid: it is malformed.
        """
        head, blank, checkpoint = content.partition(b"\n\n")
        if len(content) > MOST_NOTE_BYTES or not blank or not head.isascii():
            raise ProofInvalid("not a proof file")
        lines = head.decode().split("\n")
        if lines.pop(0) != HEADER:
            raise ProofInvalid("not a proof file of a known version")
        try:
            extra = decode_base64(_said(lines, "extra ")) if _says(lines, "extra ") else None
            index = decode_decimal(_said(lines, "index "))
            path = [decode_base64(line) for line in lines]
        except ValueError as error:
            raise ProofInvalid(f"a proof's line is {error}") from None
        if len(path) > MOST_HASHES or any(len(one) != HASH_BYTES for one in path):
            raise ProofInvalid("a proof's hashes are too many or of another length")
        return cls(extra, index, path, checkpoint)

    def verify(self, verifiers: Iterable[Verifier], leaf: bytes | None = None) -> Checkpoint:
        """Hold a leaf (by default the one inside) against the checkpoint; gives the checkpoint.

        Raises:
            NoteInvalid: the checkpoint is not the log's.
            ProofInvalid: the leaf is not proved to be in its tree.
        """
        checkpoint, _ = open_checkpoint(self.checkpoint, verifiers)
        proved = self.extra if leaf is None else leaf
        if proved is None:
            raise ProofInvalid("the file holds no leaf")
        verify_inclusion(leaf_hash(proved), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint


def _says(lines: Sequence[str], word: str) -> bool:
    return bool(lines) and lines[0].startswith(word)


def _said(lines: list[str], word: str) -> str:
    if not _says(lines, word):
        raise ValueError(f"not {word.strip()}")
    return lines.pop(0).removeprefix(word)
