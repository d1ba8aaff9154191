"""What a log sends to a witness: the body of C2SP tlog-witness `add-checkpoint`."""

from collections.abc import Sequence
from dataclasses import dataclass

from dtsen.tlog.encoding import decode_base64, decode_decimal, encode_base64
from dtsen.tlog.merkle import HASH_BYTES

SIZE_TYPE = "text/x.tlog.size"
"""Content type of the size that a witness tells with 409."""
MOST_HASHES = 63
MOST_BYTES = 200_000


class SubmissionInvalid(ValueError):
    """Bytes that are no submission."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint, and the proof that it goes on from the last one that the witness has seen."""

    old: int
    path: Sequence[bytes]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        """The body of the request."""
        lines = "".join(f"{encode_base64(one)}\n" for one in self.path)
        return f"old {self.old}\n{lines}\n".encode() + self.checkpoint

    @classmethod
    def parse(cls, body: bytes) -> "Submission":
        """Read a body; nothing in it is judged.

        Raises:
            SubmissionInvalid: it is malformed.
        """
        head, blank, checkpoint = body.partition(b"\n\n")
        if len(body) > MOST_BYTES or not blank or not head.isascii():
            raise SubmissionInvalid("not a submission")
        word, *lines = head.decode().split("\n")
        if not word.startswith("old "):
            raise SubmissionInvalid("no old size")
        try:
            old = decode_decimal(word.removeprefix("old "))
            path = [decode_base64(line) for line in lines]
        except ValueError as error:
            raise SubmissionInvalid(str(error)) from None
        if len(path) > MOST_HASHES or any(len(one) != HASH_BYTES for one in path):
            raise SubmissionInvalid("too many hashes, or of another length")
        return cls(old, path, checkpoint)
