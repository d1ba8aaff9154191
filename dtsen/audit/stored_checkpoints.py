"""Every checkpoint that the database says was ever signed, held against the log and its keys.

They hang together: each row's `chain` is the SHA-256 of the chain before it, its note, and the time
at which it was signed, so that a row that was taken out, put in or changed is named. Who rewrites
all rows after it as well can leave one out unseen; of the log's entries that hides nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import psycopg

from dtsen.tlog.checkpoint import Checkpoint, open_checkpoint
from dtsen.tlog.notes import NoteInvalid, Verifier
from dtsen.tlog.tiles import Edge
from dtsen.verifier.faults import LogFault

_ROWS = """
SELECT size, root, note, signed_at, chain FROM audit.checkpoint WHERE year = %s ORDER BY size
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def link(before: bytes, note: bytes, signed_at: datetime) -> bytes:
    """The chain of a checkpoint; `before` is that of the one signed before, empty for the first."""
    microseconds = (signed_at - _EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(before + note + str(microseconds).encode()).digest()


def check_checkpoints(
    connection: psycopg.Connection,
    year: int,
    published: tuple[Checkpoint, bytes],
    keys: Sequence[Verifier],
    hashes: Iterator[bytes],
) -> int:
    """Hold a year's rows against the hashes of its leaves, in order; how many there are.

    `published` is the verified checkpoint, and its note.

    Raises:
        LogFault: one does not hold; the text names it by its size.
    """
    checkpoint, content = published
    edge, chain, count, met = Edge(), b"", 0, False
    with connection.cursor(name="checkpoints") as rows:
        rows.execute(_ROWS, (year,))
        for size, root, note, signed_at, linked in rows:
            named = f"audit.checkpoint of {size} entries"
            chain = link(chain, note, signed_at)
            if linked != chain:
                raise LogFault(f"{named}: it, or one before it, is not as it was signed")
            edge.append(list(islice(hashes, size - edge.size)))
            try:
                signed, _ = open_checkpoint(note, keys)
            except NoteInvalid as error:
                raise LogFault(f"{named}: {error}") from None
            if signed != Checkpoint(checkpoint.origin, size, root):
                raise LogFault(f"{named}: its note says something else")
            if edge.size != size or edge.root() != root:
                raise LogFault(f"{named}: it is not of the log's first {size} entries")
            if size == checkpoint.size:
                met = content.startswith(note)
            count += 1
    if not met:
        raise LogFault(f"audit.checkpoint has no row of the {checkpoint.size} entries published")
    return count
