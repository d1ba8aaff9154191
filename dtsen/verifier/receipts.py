"""What an agency holds of the log: receipts of its calls, and proofs that it has asked for."""

import re
from collections.abc import Sequence
from uuid import UUID

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.encoding import decode_base64
from dtsen.tlog.merkle import leaf_hash
from dtsen.tlog.notes import Verifier
from dtsen.tlog.proof import ProofFile
from dtsen.verifier.faults import LogFault
from dtsen.verifier.leaves import leaf_fault, record_id

_RECEIPT = re.compile(
    r'(?:dtsen-access-record:\s*)?"([0-9a-f-]{36})";leaf=:([A-Za-z0-9+/]{43}=):\s*', re.IGNORECASE
)


def read_receipts(text: str) -> dict[UUID, bytes]:
    """Leaf hashes by record id, from values of `DTSEN-Access-Record`, one a line.

    Raises:
        ValueError: a line is no receipt, or two contradict each other.
    """
    receipts: dict[UUID, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _RECEIPT.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is no receipt")
        record, leaf = UUID(found[1]), decode_base64(found[2])
        if receipts.setdefault(record, leaf) != leaf:
            raise ValueError(f"line {number}: another leaf of a record named before")
    return receipts


def check_proof(
    content: bytes, record: UUID, keys: Sequence[Verifier], receipt: bytes | None = None
) -> Checkpoint:
    """Hold a proof file against the log's keys, the record asked for, and its receipt.

    Raises:
        ProofInvalid, NoteInvalid: it proves nothing.
        LogFault: it proves something else.
    """
    proof = ProofFile.parse(content)
    checkpoint = proof.verify(keys)
    leaf = proof.extra or b""
    fault = leaf_fault(leaf)
    if fault is not None:
        raise LogFault(fault, proof.index)
    if record_id(leaf) != record:
        raise LogFault(f"it is record {record_id(leaf)}, not {record}", proof.index)
    if receipt is not None and leaf_hash(leaf) != receipt:
        raise LogFault(f"record {record} is not the one of your receipt", proof.index)
    return checkpoint
