"""RFC 3161 timestamps over checkpoints: that a third party saw one at a time.

Beside a log's files lie `timestamp/sizes`, a size a line, and for each size the checkpoint that was
stamped, byte for byte, and the authority's whole answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.encoding import decode_decimal
from dtsen.tlog.merkle import ProofInvalid, consistency_path, verify_consistency
from dtsen.tlog.notes import NoteInvalid, Verifier
from dtsen.tlog.tiles import Tile, tile_reader
from dtsen.verifier.faults import Absent, LogFault
from dtsen.verifier.source import CHECKPOINT, Source, read_hashes

SIZES = "timestamp/sizes"


class TimestampInvalid(ValueError):
    """A timestamp does not say of these bytes what it must."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """The timestamps of a log."""

    count: int
    """How many there are."""
    newest: datetime | None
    """The time that the newest one gives; None if there is none, or they were not checked."""
    size: int = 0
    """How many entries the largest checked one is over."""

    @property
    def checked(self) -> bool:
        """Whether there are any, and all were checked."""
        return self.newest is not None


NONE = Stamped(0, None)


def stamped_path(size: int) -> str:
    """Where the checkpoint lies that was stamped at a size."""
    return f"timestamp/{size}.checkpoint"


def answer_path(size: int) -> str:
    """Where the authority's answer lies (`application/timestamp-reply`)."""
    return f"timestamp/{size}.tsr"


def read_authority(file: Path) -> Sequence[Certificate]:
    """The certificates, PEM, of whom to believe on time.

    Raises:
        ValueError: there are none.
        OSError: the file cannot be read.
    """
    return load_pem_x509_certificates(file.read_bytes())


def read_sizes(content: bytes) -> list[int]:
    """The sizes that were stamped, in the order of the file.

    Raises:
        ValueError: a line is no size.
    """
    return [decode_decimal(line) for line in content.decode("ascii").splitlines()]


def check_timestamp(
    answer: bytes, content: bytes, authority: Sequence[Certificate], nonce: int | None = None
) -> datetime:
    """The time at which an authority saw some bytes (RFC 3161 2.4.2), in UTC.

    Raises:
        TimestampInvalid: it is of other bytes, by another authority, an answer to another
            question, or none.
    """
    try:
        response = decode_timestamp_response(answer)
        verifier = VerifierBuilder(roots=list(authority), nonce=nonce).build()
        verifier.verify_message(response, content)
    except (ValueError, VerificationError) as error:
        raise TimestampInvalid(str(error)) from None
    return response.tst_info.gen_time


def check_timestamps(
    source: Source,
    checkpoint: Checkpoint,
    logs: Sequence[Verifier],
    authority: Sequence[Certificate] | None,
    judged: Stamped = NONE,
) -> Stamped:
    """Hold a verified log's timestamps against it; without an authority only count them.

    `judged` is what was found of this log before: only later ones are checked.

    Each is over a checkpoint that a key of the log signed and that the log goes on from, and none
    gives an earlier time than one of a smaller log.

    Raises:
        LogFault: one does not hold; the text names its file.
        Unreachable: it cannot be read.
    """
    try:
        sizes = read_sizes(source.read(SIZES))
    except Absent:
        return Stamped(0, None)
    except ValueError as error:
        raise LogFault(f"{SIZES}: {error}") from None
    newest, largest = judged.newest, judged.size
    for size in sorted(one for one in sizes if one > judged.size) if authority else ():
        path = answer_path(size)
        try:
            content = source.read(stamped_path(size))
            at = check_timestamp(source.read(path), content, authority or ())
            _require_beginning(source, checkpoint, content, logs, size)
        except Absent as missing:
            raise LogFault(f"{missing} is missing") from None
        except (TimestampInvalid, NoteInvalid, ProofInvalid) as error:
            raise LogFault(f"{path}: {error}") from None
        if newest is not None and at < newest:
            raise LogFault(f"{path}: gives an earlier time than that of a smaller log")
        newest, largest = at, size
    return Stamped(len(sizes), newest, largest)


def _require_beginning(
    source: Source, checkpoint: Checkpoint, content: bytes, logs: Sequence[Verifier], size: int
) -> None:
    """See that the log goes on from a stamped checkpoint."""
    old, _ = open_checkpoint(content, logs)
    if old.size != size or old.origin != checkpoint.origin:
        raise TimestampInvalid(f"is over {old.size} entries of {old.origin}")
    if old.size > checkpoint.size:
        now, _ = open_checkpoint(source.read(CHECKPOINT), logs)
        if now.size < old.size:
            raise TimestampInvalid(f"the log had {old.size} entries and has {now.size}")
        return  # stamped since the log was read; the next look judges it
    read = tile_reader(lambda tile: _tile(source, tile), checkpoint.size)
    path = consistency_path(old.size, checkpoint.size, read) if old.size < checkpoint.size else ()
    verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, path)


def _tile(source: Source, tile: Tile) -> bytes:
    return b"".join(read_hashes(source, tile))
