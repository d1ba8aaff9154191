"""One proof as a JSON object, as other implementations' test vectors write it.

Or one opened record with the key of the agency whose signed request it is of.
"""

import json
from collections.abc import Mapping
from typing import Any

from dtsen.tlog.encoding import decode_base64
from dtsen.tlog.merkle import ProofInvalid, verify_consistency, verify_inclusion
from dtsen.verifier.signed import verify_signed

INCLUSION = ("leafIdx", "treeSize", "root", "leafHash", "proof")
CONSISTENCY = ("size1", "size2", "root1", "root2", "proof")


def judge(text: str) -> None:
    """Accept a case: of inclusion, of consistency, of a signed request; other members are ignored.

    Raises:
        ProofInvalid: the proof does not hold, or the case is malformed.
    """
    try:
        case = json.loads(text)
    except ValueError:
        raise ProofInvalid("the case is not JSON") from None
    if not isinstance(case, dict):
        raise ProofInvalid("the case is not an object")
    if "record" in case:
        verify_signed(case)
        return
    proof = case.get("proof") if case.get("proof") is not None else []
    if not isinstance(proof, list):
        raise ProofInvalid("the proof is not a list")
    path = [_hash(one) for one in proof]
    if all(name in case for name in INCLUSION):
        verify_inclusion(
            _hash(case["leafHash"]),
            _number(case, "leafIdx"),
            _number(case, "treeSize"),
            path,
            _hash(case["root"]),
        )
    elif all(name in case for name in CONSISTENCY):
        verify_consistency(
            _number(case, "size1"),
            _number(case, "size2"),
            _hash(case["root1"]),
            _hash(case["root2"]),
            path,
        )
    else:
        raise ProofInvalid("the case is of no known kind")


def _number(case: Mapping[str, Any], name: str) -> int:
    value = case[name]
    if type(value) is not int or value < 0:
        raise ProofInvalid(f"{name} is not a size or an index")
    return value


def _hash(value: object) -> bytes:
    try:
        return decode_base64(value) if isinstance(value, str) else _refuse()
    except ValueError:
        raise ProofInvalid("a hash is not base64") from None


def _refuse() -> bytes:
    raise ValueError
