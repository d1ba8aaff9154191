"""What an agency can prove: its own records, byte for byte, and nothing of anybody else's.

Proof, checkpoint and signature are read and checked here from the public formats alone
(`docs/auditors/log.md`, C2SP tlog-proof, tlog-checkpoint and signed-note, RFC 6962).
"""

import base64
import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.differential.house import Wire
from tests.differential.judge import ALWAYS, PROBLEM
from tests.differential.leak import Leak, same, strict
from tests.differential.own import Asker
from tests.differential.spending import policies

HEADER = b"c2sp.org/tlog-proof@v1"
MERGED_SECONDS = 30
MOST = 2
"""Records of each world that are proved, and refused, to each agency."""
NOT_YET = 503
SHORT = 5
"""Texts of such a length stand anywhere."""


@dataclass(frozen=True)
class Provable:
    """A record that was made: whose, its exact leaf, and numbers that no leaf may hold."""

    agency: str
    id: UUID
    leaf: bytes
    numbers: frozenset[str] = field(default_factory=frozenset)


def provable(wires: Sequence[Wire]) -> Iterator[Provable]:
    """The records of some answers, those of the other agency in a translation first."""
    for wire in wires:
        numbers = {*wire.ask.subjects, *_texts(wire.opened)}
        for companion in wire.companions:
            row = companion.row
            yield Provable(row["agency"], row["id"], row["leaf"], frozenset(numbers))
    for wire in wires:
        if wire.record is not None:
            numbers = {*wire.ask.subjects, *_texts(wire.opened)}
            row = wire.record
            yield Provable(row["agency"], row["id"], row["leaf"], frozenset(numbers))


def judge_proofs(askers: Sequence[Asker], records: Sequence[Provable]) -> int:
    """Have each agency prove some records of its own and of the other's; how many answers.

    Raises:
        Leak: a proof proves something else, says more, or is given to somebody else.
    """
    count, refusals = 0, set()
    for asker in askers:
        mine = [one for one in records if one.agency == asker.terms.agency][:MOST]
        others = [one for one in records if one.agency != asker.terms.agency][:MOST]
        for one in mine:
            _proves(asker, one)
        for text in (*(str(one.id) for one in others), "x", str(uuid4())):
            refusals.add(_refused(asker, f"/v1/audit/records/{text}/proof"))
            refusals.add(_refused(asker, f"/v1/audit/records/{text}"))
            count += 2
        count += len(mine)
    same("answers about records of others and of nobody", len(refusals), 1)
    return count


def _proves(asker: Asker, one: Provable) -> None:
    answer = _merged(asker, f"/v1/audit/records/{one.id}/proof")
    same("status of a proof", answer.status_code, 200)
    same("type of a proof", answer.headers["content-type"], "text/plain; charset=utf-8")
    _headers(answer, set())
    extra, index, path, note = _parsed(answer.content)
    same("leaf of a proof", extra, one.leaf)
    for number in one.numbers:
        if len(number) > SHORT and number.encode() in extra:
            raise Leak("a leaf says what is personal")
    origin, size, root = _checkpoint(asker, note)
    same("origin", origin, f"{asker.house.issuer.partition('://')[2]}/log/{origin[-4:]}")
    proved = _root(hashlib.sha256(b"\x00" + extra).digest(), index, size, path)
    same("root", proved, root)


def _refused(asker: Asker, path: str) -> tuple[str, ...]:
    """The answer that a record of another agency and one that never was have alike."""
    answer = asker.raw(path)
    same("status of another's record", answer.status_code, 404)
    told = strict(answer.content)
    same("members", set(told) - PROBLEM, set())
    told.pop("instance")
    _headers(answer, set())
    return str(sorted(told.items())), str(len(answer.headers.raw))


def _headers(answer: Any, more: set[str]) -> None:
    names = sorted(name for name, _ in answer.headers.multi_items())
    same("header names", names, sorted(ALWAYS | {"content-length"} | more))
    if {"people-day", "people-month"} & policies(answer.headers["ratelimit-policy"]).keys():
        raise Leak("looking into the log costs people")


def _merged(asker: Asker, path: str) -> Any:
    """The answer once the record is merged: before, it is 503 with Retry-After: 1."""
    deadline = time.monotonic() + MERGED_SECONDS
    while True:
        answer = asker.raw(path)
        if answer.status_code != NOT_YET or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)  # the sequencer is another thread; it sends no news


# ---- the formats, as their documents say


def _parsed(content: bytes) -> tuple[bytes, int, list[bytes], bytes]:
    head, _, note = content.partition(b"\n\n")
    header, extra, index, *path = head.split(b"\n")
    same("first line", header, HEADER)
    if not extra.startswith(b"extra ") or re.fullmatch(rb"index (0|[1-9][0-9]*)", index) is None:
        raise Leak("a proof of another form")
    hashes = [base64.b64decode(line, validate=True) for line in path]
    same("lengths of hashes", {len(one) for one in hashes} - {32}, set())
    return base64.b64decode(extra[6:], validate=True), int(index[6:]), hashes, note


def _checkpoint(asker: Asker, note: bytes) -> tuple[str, int, bytes]:
    """What a checkpoint says, whose one signature is that of the log's published key."""
    text, _, signatures = note.decode().partition("\n\n")
    origin, size, root = text.split("\n")
    name, key_id, key = asker.raw("/log/key").text.splitlines()[0].split("+", 2)
    same("name of the key", name, origin)
    raw = base64.b64decode(key)
    same("id of the key", hashlib.sha256(f"{name}\n".encode() + raw).hexdigest()[:8], key_id)
    (line,) = signatures.splitlines()
    said = re.fullmatch(rf"\u2014 {re.escape(name)} (\S+)", line)
    if said is None:
        raise Leak("a checkpoint that the log did not sign")
    signature = base64.b64decode(said[1])
    same("id in the signature", signature[:4].hex(), key_id)
    try:
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[4:], f"{text}\n".encode())
    except InvalidSignature:
        raise Leak("a checkpoint that the log did not sign") from None
    return origin, int(size), base64.b64decode(root)


def _root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 6962 2.1.1, from the root down: in which half the leaf is, and the other half's hash."""
    if size == 1:
        return leaf if not path else b""
    if not path or index >= size:
        return b""
    half = 1 << (size - 1).bit_length() - 1
    *below, other = path
    if index < half:
        return hashlib.sha256(b"\x01" + _root(leaf, index, half, below) + other).digest()
    right = _root(leaf, index - half, size - half, below)
    return hashlib.sha256(b"\x01" + other + right).digest()


def _texts(opened: dict[str, Any]) -> Iterator[str]:
    for name in ("subject", "subject_kk"):
        yield from opened.get(name) or ()
    yield from {"outside_wilayah", "outside_desil", "outside_sets", "hidden"}
