"""Signing checkpoints, and keeping each one that was ever signed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dtsen.audit.halt import LogHalted
from dtsen.audit.tree import Tree
from dtsen.keys import KeyMissing, Keyring, Purpose
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import Signer, Verifier, sign_note

BOTH_SIGN = timedelta(days=30)
"""How long an older key goes on signing beside the newest."""

_KEEP = """
INSERT INTO audit.checkpoint (year, size, root, note) VALUES (%s, %s, %s, %s)
ON CONFLICT (year, size) DO NOTHING
"""
_KEPT = "SELECT root, note FROM audit.checkpoint WHERE (year, size) = (%s, %s)"
_SIGNED = """
SELECT size, root FROM audit.checkpoint WHERE year = %s ORDER BY size DESC LIMIT %s
"""


class Keys(NamedTuple):
    """The keys of a year's log."""

    signing: Sequence[Signer]
    """Whoever signs now, the newest first: around a rotation both do."""
    every: Sequence[Verifier]
    """All that ever signed, the newest first."""

    @property
    def lines(self) -> bytes:
        """What `/log/<year>/key` answers."""
        return "".join(f"{one}\n" for one in self.every).encode()


def keys_of(keyring: Keyring, origin: str, year: int, now: datetime) -> Keys:
    """The keys of a year's log.

    Raises:
        KeyMissing: none is held.
    """
    held = keyring.checkpoint_pairs(year)
    # A log's first key signs whatever the clock says: it was announced, and one may be set back.
    pairs = [pair for pair in held if pair.activates <= now] or held[:1]
    if not pairs:
        raise KeyMissing(f"{Purpose.CHECKPOINTS}/{year}-1")
    signers = [Signer(origin, cast("Ed25519PrivateKey", pair.private)) for pair in pairs]
    ends = [pair.activates + BOTH_SIGN for pair in pairs[1:]]
    retired = sum(end <= now for end in ends)
    every = [one.verifier for one in reversed(signers)]
    return Keys(signers[retired:][::-1], every)


def held_for(keyring: Keyring, tree: Tree, now: datetime) -> Keys:
    """The keys of a tree.

    Raises:
        LogHalted: the key that the log announced is not held.
    """
    try:
        keys = keys_of(keyring, tree.origin, tree.year, now)
    except KeyMissing:
        keys = Keys((), ())
    if tree.key not in map(str, keys.every):
        raise LogHalted(f"the key of {tree.origin} is not held")
    return keys


def sign(connection: psycopg.Connection, tree: Tree, held: Sequence[Signer]) -> bytes:
    """Sign a checked tree; the note, which is kept.

    Raises:
        LogHalted: another root of this size was signed before.
    """
    text = Checkpoint(tree.origin, tree.size, tree.root).text
    note = sign_note(text, [one.sign(text) for one in held])
    connection.execute(_KEEP, (tree.year, tree.size, tree.root, note))
    row = connection.execute(_KEPT, (tree.year, tree.size)).fetchone()
    root, kept = row or (b"", b"")
    if root != tree.root:
        raise LogHalted(f"another root of {tree.size} leaves of {tree.origin} was signed")
    return bytes(kept)


def last_signed(
    connection: psycopg.Connection, year: int, most: int = 1
) -> list[tuple[int, bytes]]:
    """Sizes and roots of a year's last signed checkpoints, newest first."""
    return connection.execute(_SIGNED, (year, most)).fetchall()
