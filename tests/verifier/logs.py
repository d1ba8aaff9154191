"""A published log of any size, made by the formats alone, as files."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.merkle import leaf_hash
from dtsen.tlog.notes import Signature, Signer, sign_note
from dtsen.tlog.tiles import Edge, bundles_between, join_entries

ORIGIN = "log.example/log/2026"


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


LOG = Signer(ORIGIN, key(1))


def entry(number: int, word: str = "found", **members: object) -> bytes:
    """A leaf of the right form."""
    digests = [hashlib.sha256(f"{word}{number}.{at}".encode()).digest() for at in range(11)]
    leaf = {
        "v": 1,
        "jti": f"01a20cf6-82dd-7e72-b147-{number:012x}",
        "iat": "2026-11-24T03:14:15.926+00:00",
        "ek": "2026-11",
        "typ": "read",
        "op": "individuals.lookup",
        "outcome": word,
        "_sd": sorted(base64url(one) for one in digests),
        "_sd_alg": "sha-256",
        **members,
    }
    return json.dumps(leaf, separators=(",", ":"), sort_keys=True).encode()


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def opening(**members: object) -> bytes:
    """The first leaf of the test log."""
    said = {"typ": "log", "op": "log.open", "origin": ORIGIN, "key": str(LOG.verifier)}
    return entry(0, "opened", **(said | {"previous": None} | members))


def entries(size: int) -> list[bytes]:
    return [opening(), *(entry(number) for number in range(1, size))]


def publish(
    folder: Path, leaves: Sequence[bytes], *, signers: Sequence[Signer] = (LOG,), bundles=True
) -> Checkpoint:
    """Write all tiles, bundles, the key and the checkpoint of a log of these leaves."""
    edge = Edge()
    tiles = edge.append([leaf_hash(one) for one in leaves]) + edge.partial()
    for tile, content in tiles:
        write(folder / tile.path, content)
    for tile in bundles_between(0, len(leaves)) if bundles else ():
        first = tile.index * 256
        write(folder / tile.path, join_entries(leaves[first : first + tile.width]))
    checkpoint = Checkpoint(ORIGIN, edge.size, edge.root())
    sign(folder, checkpoint, [one.sign(checkpoint.text) for one in signers])
    write(folder / "key", "".join(f"{one.verifier}\n" for one in signers).encode())
    return checkpoint


def sign(folder: Path, checkpoint: Checkpoint, signatures: Sequence[Signature]) -> None:
    write(folder / "checkpoint", sign_note(checkpoint.text, signatures))


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
