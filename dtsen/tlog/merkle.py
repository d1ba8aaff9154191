"""The Merkle tree of RFC 6962 over SHA-256: hashes, proofs, and their verification.

A hash of the tree is named by `(level, index)`: the root of the `index`-th run of `2**level`
leaves. Proofs are made from such hashes of complete runs alone, wherever those are kept.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of the complete run `(level, index)`."""

_sha256 = hashlib.sha256


class ProofInvalid(ValueError):
    """A proof does not prove what it is shown for."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf: SHA-256 over 0x00 and its bytes."""
    return _sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256 over 0x01 and their hashes."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves, or of complete runs of one size (the last may be shorter)."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        # RFC 6962 splits at the largest power of two: an odd one at the end rises as it is.
        paired = [
            _sha256(b"\x01" + left + right).digest()
            for left, right in zip(row[::2], row[1::2], strict=False)
        ]
        row = paired + row[-1:] if len(row) % 2 else paired
    return row[0]


def complete_runs(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete runs that leaves `start` to `end` consist of, from left to right.

    `start` must be a multiple of the largest power of two that fits (as in every proof).
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def range_root(start: int, end: int, read: Read) -> bytes:
    """The root over leaves `start` to `end` (not included)."""
    hashes = [read(level, index) for level, index in complete_runs(start, end)]
    if not hashes:
        return EMPTY_ROOT
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Which ranges of leaves the hashes of an inclusion proof stand for, leaf's sibling first.

    Raises:
        ProofInvalid: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ProofInvalid("the tree has no such leaf")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Which ranges of leaves the hashes of a consistency proof stand for, in their order.

    Raises:
        ProofInvalid: there is no such proof: the old tree is empty, or larger.
    """
    if not 0 < old <= new:
        raise ProofInvalid("no proof leads from an empty or larger tree")
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_path(index: int, size: int, read: Read) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves.

    Raises:
        ProofInvalid: the tree has no such leaf.
    """
    return [range_root(start, end, read) for start, end in inclusion_ranges(index, size)]


def consistency_path(old: int, new: int, read: Read) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        ProofInvalid: there is no such proof: the old tree is empty, or larger.
    """
    return [range_root(start, end, read) for start, end in consistency_ranges(old, new)]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Hold an inclusion proof of a leaf's hash against a root.

    Raises:
        ProofInvalid: it does not prove that.
    """
    ranges = inclusion_ranges(index, size)
    _require_hashes((leaf, root, *path))
    if len(path) != len(ranges):
        raise ProofInvalid("a proof of this length belongs to another place")
    found = leaf
    for sibling, (start, _) in zip(path, ranges, strict=True):
        found = node_hash(found, sibling) if start > index else node_hash(sibling, found)
    if found != root:
        raise ProofInvalid("the proof leads to another root")


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Hold a consistency proof against two roots.

    Of two trees of one size, only their equality is judged. An empty tree is the beginning of every
    tree, which proves nothing: it is refused.

    Raises:
        ProofInvalid: it does not prove that.
    """
    if old == new and old >= 0:
        if path or old_root != new_root:
            raise ProofInvalid("trees of one size have one root, and need no proof")
        return
    ranges = consistency_ranges(old, new)
    _require_hashes((old_root, new_root, *path))
    hashes = list(path)
    if ranges[0][1] != old:
        # The old tree is itself a complete run of the new one: its root is where the proof starts.
        ranges.insert(0, (0, old))
        hashes.insert(0, old_root)
    if len(hashes) != len(ranges):
        raise ProofInvalid("a proof of this length belongs to other sizes")
    before = after = hashes[0]
    for sibling, (start, _) in zip(hashes[1:], ranges[1:], strict=True):
        if start < old:
            before = node_hash(sibling, before)
            after = node_hash(sibling, after)
        else:
            after = node_hash(after, sibling)
    if before != old_root:
        raise ProofInvalid("the proof leads to another old root")
    if after != new_root:
        raise ProofInvalid("the proof leads to another new root")


def _split(size: int) -> int:
    """The largest power of two below `size`, for `size` above 1."""
    return 1 << (size - 1).bit_length() - 1


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofInvalid("a hash has another length")
