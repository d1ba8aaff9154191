"""That an agency sent a request: its signature in an opened record, by its public key alone.

`docs/auditors/record-format.md` says what the record keeps. Nothing of this house is believed: the
signature is held against a key that the agency itself gave.
"""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dtsen.messages import SignatureFault
from dtsen.messages.fields import check_digest, dictionary
from dtsen.messages.keys import PublicKey, public_key, verify
from dtsen.messages.requests import AHEAD_SECONDS, BEHIND_SECONDS, TAG
from dtsen.tlog.merkle import ProofInvalid
from dtsen.verifier.disclosed import check_disclosed

PARAMETERS = '"@signature-params"'
SAID = {
    "dtsen-officer": "officer",
    "dtsen-case-ref": "case_ref",
    "dtsen-purpose": "purpose",
    "dtsen-actor": "actor",
}
"""Headers of a request, each with the member of its record that says the same."""
SILENT = frozenset({"dtsen-officer", "dtsen-case-ref"})
"""Headers without which the record names nobody; purpose and actor follow from the agreement."""
ANSWERING_SECONDS = 15
"""Between the check of a signature and the instant in the record."""


def verify_signed(case: Mapping[str, Any]) -> None:
    """Accept `{record, keys, leaf?}`: an opened record whose signature one of the keys made.

    `keys` is a JWK set; `leaf` the bytes of the record's leaf in base64, as `extra` of its proof.

    Raises:
        ProofInvalid: it is not so, or the case is malformed.
    """
    record = case["record"]
    kept = record.get("signature") if isinstance(record, dict) else None
    if not isinstance(kept, dict):
        raise ProofInvalid("the record shows no signature")
    try:
        base = str(kept["base"])
        lines = dict(line.split(": ", 1) for line in base.split("\n"))
        said = dictionary("x=" + lines[PARAMETERS])["x"][1]
        value = b64decode(str(kept["value"]), validate=True)
        if said.get("tag") != TAG:
            raise ProofInvalid("what was signed is no request to this service")
        verify(_key(case.get("keys"), said.get("keyid")), said.get("alg"), base.encode(), value)
        if kept.get("content") is not None:
            check_digest(lines['"content-digest"'], kept["content"].encode())
    except SignatureFault as fault:
        raise ProofInvalid(f"the signature does not hold: {fault}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProofInvalid("the record's signature, or a key, is malformed") from None
    _check_record(record, lines, said.get("created"))
    if "leaf" in case:
        check_disclosed(case["leaf"], record)


def _key(keys: object, keyid: object) -> PublicKey:
    members = keys.get("keys") if isinstance(keys, dict) else None
    for jwk in members if isinstance(members, list) else ():
        if jwk.get("kid") == keyid:
            return public_key(jwk)
    raise ProofInvalid("none of the keys is the one that is said to have signed")


def _check_record(record: Mapping[str, Any], lines: Mapping[str, str], created: object) -> None:
    """Hold the record against what was signed."""
    for header, member in SAID.items():
        signed, recorded = lines.get(f'"{header}"'), record.get(member)
        if member in record and (header in SILENT or signed is not None) and signed != recorded:
            raise ProofInvalid(f"the record says another {member} than was signed")
    try:
        late = datetime.fromisoformat(record["iat"]).timestamp() - int(str(created))
    except (KeyError, ValueError, TypeError):
        raise ProofInvalid("the record or the signature does not say when") from None
    if not -AHEAD_SECONDS - 1 <= late <= BEHIND_SECONDS + ANSWERING_SECONDS:
        raise ProofInvalid("the record was not made when the request was signed")
