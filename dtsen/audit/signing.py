"""Signing checkpoints, and keeping each one that was ever signed."""

from collections.abc import Sequence

import psycopg

from dtsen.audit.halt import LogHalted
from dtsen.audit.tree import Tree
from dtsen.keys import KeyMissing, Keyring
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import Signer, sign_note

_KEEP = """
INSERT INTO audit.checkpoint (year, size, root, note) VALUES (%s, %s, %s, %s)
ON CONFLICT (year, size) DO NOTHING
"""
_KEPT = "SELECT root, note FROM audit.checkpoint WHERE (year, size) = (%s, %s)"
_SIGNED = """
SELECT size, root FROM audit.checkpoint WHERE year = %s ORDER BY size DESC LIMIT %s
"""


def signers(keyring: Keyring, origin: str, year: int) -> list[Signer]:
    """Whoever signs for a year's log, the newest key first.

    Raises:
        KeyMissing: no key of that year is held.
    """
    return [Signer(origin, key) for key in reversed(keyring.checkpoint_keys(year))]


def key_lines(held: Sequence[Signer]) -> bytes:
    """What `/log/<year>/key` answers."""
    return "".join(f"{one.verifier}\n" for one in held).encode()


def held_for(keyring: Keyring, tree: Tree) -> list[Signer]:
    """The signers of a tree.

    Raises:
        LogHalted: the key that the log announced is not held.
    """
    try:
        held = signers(keyring, tree.origin, tree.year)
    except KeyMissing:
        held = []
    if tree.key not in [str(one.verifier) for one in held]:
        raise LogHalted(f"the key of {tree.origin} is not held")
    return held


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
