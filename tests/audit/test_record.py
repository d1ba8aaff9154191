"""A record's bytes: canonical, salted, sealed, and reproducible with other people's tools."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
import rfc8785
from cryptography.exceptions import InvalidTag
from hypothesis import given, strategies as st

from dtsen.audit.record import (
    PERSONAL,
    RecordKeys,
    canonical_json,
    disclosure_digest,
    make_leaf,
    new_record_id,
    read_disclosures,
    receipt,
    record_milliseconds,
)
from dtsen.keys import Keyring, Purpose

EPOCH = "2026-11"
ID = UUID("01a20cf6-82dd-7e72-b147-7b284b3a98ab")


@pytest.fixture(scope="module")
def keyring(tmp_path_factory):
    keyring = Keyring(tmp_path_factory.mktemp("keys"))
    keyring.ensure(datetime(2026, 11, 24, tzinfo=UTC))
    return keyring


@pytest.fixture(scope="module")
def keys(keyring):
    return RecordKeys(keyring, EPOCH)


names = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names, values, max_size=8))
def test_canonical_json_is_rfc_8785(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@given(
    st.sampled_from(["found", "not_found", "invalid"]),
    st.dictionaries(st.sampled_from(PERSONAL), values, max_size=len(PERSONAL)),
)
def test_a_leaf_has_the_same_members_whatever_happened(keys, outcome, personal):
    leaf = json.loads(make_leaf(keys, ID, {"outcome": outcome}, personal).content)
    assert set(leaf) == {"outcome", "v", "jti", "ek", "_sd", "_sd_alg"}
    assert len(leaf["_sd"]) == len(set(leaf["_sd"])) == len(PERSONAL)
    assert leaf["_sd"] == sorted(leaf["_sd"])


def test_every_disclosure_opens_one_digest_and_says_its_name_and_value(keys):
    personal = {"subject": ["3374990101900001"], "officer": "19900101-7"}
    leaf = make_leaf(keys, ID, {}, personal)
    disclosures = keys.unseal(ID, leaf.disclosures)
    digests = json.loads(leaf.content)["_sd"]
    assert sorted(map(disclosure_digest, disclosures)) == digests
    assert read_disclosures(disclosures) == dict.fromkeys(PERSONAL) | personal
    for disclosure in disclosures:
        salt, _, _ = json.loads(base64.urlsafe_b64decode(disclosure + b"=="))
        assert len(base64.urlsafe_b64decode(salt)) == 18
        plain = hashlib.sha256(disclosure).digest()
        assert base64.urlsafe_b64encode(plain).rstrip(b"=").decode() in digests


def test_nothing_personal_stands_in_a_leaf_or_its_sealed_disclosures(keys):
    leaf = make_leaf(keys, ID, {"op": "individuals.lookup"}, {"subject": ["3374990101900001"]})
    for place in (leaf.content, leaf.disclosures):
        assert b"3374990101900001" not in place


def test_the_same_person_gives_other_digests_each_time(keys):
    first = json.loads(make_leaf(keys, ID, {}, {"subject": ["3374990101900001"]}).content)
    second = json.loads(make_leaf(keys, ID, {}, {"subject": ["3374990101900001"]}).content)
    assert not set(first["_sd"]) & set(second["_sd"])


def test_sealed_disclosures_open_for_their_record_alone(keys):
    leaf = make_leaf(keys, ID, {}, {})
    with pytest.raises(InvalidTag):
        keys.unseal(UUID(int=ID.int + 1), leaf.disclosures)
    changed = leaf.disclosures[:-1] + bytes([leaf.disclosures[-1] ^ 1])
    with pytest.raises(InvalidTag):
        keys.unseal(ID, changed)


def test_a_blind_index_is_an_hmac_of_kind_and_value(keyring, keys):
    secret = keyring.secret(Purpose.SUBJECT_INDEX, EPOCH)
    whole = hmac.new(secret, b"nik|3374990101900001", hashlib.sha256).digest()
    assert keys.index("nik", "3374990101900001") == whole[:16]
    assert keys.index("kk", "3374990101900001") != whole[:16]


def test_packed_subjects_are_sorted_and_counted_once(keys):
    packed = keys.packed("nik", ["b", "a", "b"])
    assert len(packed) == 32
    assert packed[:16] < packed[16:]


def test_a_receipt_names_the_record_and_its_leaf_hash(keys):
    leaf = make_leaf(keys, ID, {}, {})
    digest = base64.b64encode(hashlib.sha256(b"\x00" + leaf.content).digest()).decode()
    assert receipt(ID, leaf) == f'"{ID}";leaf=:{digest}:'


@given(st.integers(0, 2**48 - 1))
def test_record_ids_are_uuids_of_version_7_and_keep_their_instant(milliseconds):
    made = new_record_id(milliseconds)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert record_milliseconds(made) == milliseconds
