"""`docs/auditors/record-format.md` can be followed: its vectors, made anew with others' tools."""

import base64
import hashlib
import hmac
import json
import re
from uuid import UUID

import pytest
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dtsen.audit.record import AUDITORS_ONLY, PERSONAL
from tests.audit.vectors import CASES, CLEAR, FILE, make

ACT = {"act", "act_kind", "act_digest", "key_name"}
ACT |= {"revision", "revision_before", "config", "keys"}
LOG = {"origin", "key", "previous", "next_origin", "next_key", "since", "size", "lost"}
DOCUMENT = FILE.with_name("record-format.md").read_text()
VECTORS = json.loads(FILE.read_text())
KEYS = {name: bytes.fromhex(key) for name, key in VECTORS["keys"].items() if name != "epoch"}


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_our_code_makes_the_vectors_byte_for_byte():
    assert make() == VECTORS, "run `python -m tests.audit.vectors`"


@pytest.mark.parametrize("one", VECTORS["indexes"], ids=lambda one: one["kind"])
def test_a_blind_index_is_as_written(one):
    said = f"{one['kind']}|{one['value']}".encode()
    whole = hmac.new(KEYS["subject-index"], said, hashlib.sha256).hexdigest()
    assert one["index"] == whole[:32]


@pytest.fixture(params=CASES)
def one(request):
    return VECTORS["records"][request.param]


def test_disclosures_are_as_written(one):
    assert list(one["personal"]) == sorted(one["personal"])
    for (name, value), disclosure in zip(one["personal"].items(), one["disclosures"], strict=True):
        text = json.dumps(
            [one["salts"][name], name, value], separators=(",", ":"), ensure_ascii=False
        )
        assert disclosure == base64url(text.encode())


def test_the_leaf_and_its_hash_are_as_written(one):
    digests = [base64url(hashlib.sha256(text.encode()).digest()) for text in one["disclosures"]]
    members = one["clear"] | {
        "v": 2,
        "jti": one["id"],
        "ek": VECTORS["keys"]["epoch"],
        "_sd": sorted(digests),
        "_sd_alg": "sha-256",
    }
    leaf = rfc8785.dumps(members)
    assert leaf.decode() == one["leaf"]
    digest = hashlib.sha256(b"\x00" + leaf).digest()
    assert digest.hex() == one["leaf_hash"]
    told = base64.b64encode(digest).decode()
    assert one["receipt"] == f'"{one["id"]}";leaf=:{told}:'


def test_the_sealed_disclosures_open_as_written(one):
    record_id = UUID(one["id"]).bytes
    key = hmac.new(KEYS["disclosures"], b"record|" + record_id, hashlib.sha256).digest()
    sealed = base64.b64decode(one["sealed"])
    plain = AESGCM(key).decrypt(sealed[:12], sealed[12:], record_id)
    assert plain.decode("ascii").split("~") == one["disclosures"]


def test_the_answers_digest_is_as_written(one):
    said = UUID(one["id"]).bytes + one["answer"].encode()
    digest = hmac.new(KEYS["answers"], said, hashlib.sha256).digest()
    assert one["personal"]["resp_hash"] == base64.b64encode(digest).decode()


def test_an_absent_persons_leaf_has_as_many_digests_as_a_found_ones():
    leaves = [json.loads(one["leaf"]) for one in VECTORS["records"].values()]
    assert {len(leaf["_sd"]) for leaf in leaves} == {len(PERSONAL)}
    assert leaves[0].keys() == leaves[1].keys()


def test_the_page_names_every_member():
    rows = re.findall(r"^\| `(.*?)` \| (clear|personal|stored) \| (.*?) \|", DOCUMENT, re.MULTILINE)
    told = {name: (kind, seen) for name, kind, seen in rows}
    fixed = (
        {"v", "jti", "ek", "_sd", "_sd_alg", "count", "minute", "scope", "counterparty"} | ACT | LOG
    )
    assert {name for name, (kind, _) in told.items() if kind == "clear"} == fixed | CLEAR.keys()
    assert {name for name, (kind, _) in told.items() if kind == "personal"} == set(PERSONAL)
    assert {name for name, (_, seen) in told.items() if seen == "auditors"} == AUDITORS_ONLY
