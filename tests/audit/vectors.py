"""The test vectors of `docs/auditors/record-format.md`: fixed keys and salts, our own bytes.

`python -m tests.audit.vectors` writes them anew, after a change of the format and its version.
"""

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from dtsen.audit.record import PERSONAL, RecordKeys, make_leaf, receipt
from dtsen.keys import Keyring, Purpose
from dtsen.messages import Request, sign_request
from dtsen.messages.keys import thumbprint
from dtsen.messages.requests import read_request

FILE = Path(__file__).resolve().parents[2] / "docs" / "auditors" / "record-vectors.json"
EPOCH = "2026-11"
KEYS = {
    Purpose.SUBJECT_INDEX: bytes(range(32)),
    Purpose.ANSWERS: bytes(range(32, 64)),
    Purpose.DISCLOSURES: bytes(range(64, 96)),
}
NIK, KK = "3374990101900001", "3374990101150001"
CLEAR: dict[str, Any] = {
    "actor": "officer",
    "agency": "dinsos-demo",
    "agreement": "PKS-017/2026",
    "agreement_version": 3,
    "client": "demo-province",
    "ds": "2026-Q3",
    "iat": "2026-11-24T03:14:15.926+00:00",
    "legal_basis": ["Permen PPN 7/2025"],
    "n": 1,
    "node": "node-1",
    "op": "individuals.lookup",
    "outcome": "found",
    "plan": "PLAN",
    "purpose": "PKH-VERIFIKASI",
    "sens": "personal",
    "status": 200,
    "sw": "dtsen-api/0.1.0",
    "typ": "read",
}
REQUEST = Request(
    "POST",
    "https://dtsen.example.id/v1/individuals/lookup",
    [
        ("authorization", "DPoP token-1"),
        ("dtsen-purpose", "PKH-VERIFIKASI"),
        ("dtsen-actor", "officer"),
        ("dtsen-officer", "petugas-7"),
        ("dtsen-case-ref", "KASUS-1"),
    ],
    f'{{"nik":"{NIK}"}}'.encode(),
)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128)))
CREATED = 1_795_490_055
"""Unix seconds of an instant just before `iat`."""


def signed() -> dict[str, Any]:
    """What a record keeps of a signed request."""
    added = sign_request(REQUEST, SIGNER, "kunci-1", created=CREATED, nonce="nonce-1")
    headers = [*REQUEST.headers, *((name.lower(), value) for name, value in added.items())]
    said = read_request(REQUEST._replace(headers=headers), CREATED)
    return {
        "base": said.base.decode(),
        "value": base64.b64encode(said.value).decode(),
        "key": thumbprint(SIGNER.public_key()),
        "content": REQUEST.content.decode(),
    }


FOUND: dict[str, Any] = {
    "auth": {"method": "bearer", "jti": "token-1"},
    "case_ref": "KASUS-1",
    "fields": ["anggota.nama", "keluarga.desil_nasional"],
    "officer": "petugas-7",
    "q": {"by": "nik", "fields": ["nama", "desil_nasional"]},
    "reason": ["seen"],
    "signature": signed(),
    "src_ip": "192.0.2.7",
    "subject": [NIK],
    "subject_kk": [KK],
}
ABSENT: dict[str, Any] = {
    "auth": {"method": "bearer", "jti": "token-1"},
    "reason": ["hidden"],
    "subject": [NIK],
    "subject_kk": [],
}
BODY = '{"release":"2026-Q3","individual":null}'
CASES = {
    "found": ("01a20cf6-82dd-7e72-b147-7b284b3a98ab", CLEAR, FOUND),
    "absent": (
        "01a20cf6-82de-7a01-8c5e-0f1e2d3c4b5a",
        CLEAR | {"n": 0, "outcome": "not_found", "sens": None, "status": 404},
        ABSENT,
    ),
}
INDEXES = (
    ("nik", NIK),
    ("kk", KK),
    ("officer", "dinsos-demo|petugas-7"),
    ("case", "dinsos-demo|KASUS-1"),
)


@contextmanager
def fixed_keys() -> Iterator[RecordKeys]:
    """The keys of the vectors, as files of a keyring."""
    with tempfile.TemporaryDirectory() as name:
        for purpose, secret in KEYS.items():
            file = Path(name) / purpose / EPOCH
            file.parent.mkdir()
            file.write_bytes(base64.b64encode(secret))
            file.chmod(0o600)
        yield RecordKeys(Keyring(Path(name)), EPOCH)


def fixed_bytes(size: int) -> bytes:
    """What stands for chance: SHA-256 in counter mode over the size asked for."""
    blocks = range(size // 32 + 1)
    made = b"".join(hashlib.sha256(bytes((size, block))).digest() for block in blocks)
    return made[:size]


def make() -> dict[str, Any]:
    """All vectors, by our own code."""
    with fixed_keys() as keys, patch("dtsen.audit.record.random_bytes", fixed_bytes):
        return {
            "keys": {"epoch": EPOCH} | {purpose.value: key.hex() for purpose, key in KEYS.items()},
            "indexes": [
                {"kind": kind, "value": value, "index": keys.index(kind, value).hex()}
                for kind, value in INDEXES
            ],
            "agency_key": OKPKey(SIGNER.public_key(), b"").as_dict() | {"kid": "kunci-1"},
            "records": {name: _record(keys, *case) for name, case in CASES.items()},
        }


def _record(
    keys: RecordKeys, written: str, clear: dict[str, Any], personal: dict[str, Any]
) -> dict[str, Any]:
    record_id = UUID(written)
    given = personal | {"resp_hash": keys.answer_digest(record_id, BODY.encode())}
    leaf = make_leaf(keys, record_id, clear, given)
    disclosures = keys.unseal(record_id, leaf.disclosures)
    salts = [json.loads(base64.urlsafe_b64decode(one + b"=="))[0] for one in disclosures]
    return {
        "id": written,
        "clear": clear,
        "personal": dict.fromkeys(PERSONAL) | given,
        "answer": BODY,
        "salts": dict(zip(PERSONAL, salts, strict=True)),
        "disclosures": [one.decode() for one in disclosures],
        "leaf": leaf.content.decode(),
        "leaf_hash": leaf.hash.hex(),
        "receipt": receipt(record_id, leaf),
        "sealed": base64.b64encode(leaf.disclosures).decode(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), ensure_ascii=False, indent=2) + "\n")
