"""That a leaf was told of a record's signature: its disclosure has its digest there (RFC 9901)."""

import hashlib
import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from dtsen.tlog.merkle import ProofInvalid


def check_disclosed(leaf: object, record: Mapping[str, Any]) -> None:
    """Hold an opened record's signature against its leaf (base64).

    Raises:
        ProofInvalid: the leaf is of another record, or holds no digest of this signature.
    """
    kept = record["signature"]
    try:
        told = json.loads(b64decode(str(leaf), validate=True))
        disclosure = str(kept["disclosure"])
        _, name, value = json.loads(urlsafe_b64decode(disclosure + "=="))
        digest = urlsafe_b64encode(hashlib.sha256(disclosure.encode()).digest()).rstrip(b"=")
        if told["jti"] != record["jti"]:
            raise ProofInvalid("the leaf is of another record")
        shown = {member: each for member, each in kept.items() if member != "disclosure"}
        if digest.decode() not in told["_sd"] or (name, value) != ("signature", shown):
            raise ProofInvalid("the leaf holds no digest of this signature")
    except (ValueError, KeyError, TypeError):
        raise ProofInvalid("the leaf or the disclosure is malformed") from None
