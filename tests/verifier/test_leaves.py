"""The form of a leaf, as the format document says it."""

import json

import pytest

from dtsen.verifier.leaves import leaf_fault
from tests.audit.vectors import FILE
from tests.verifier import logs

GOOD = json.loads(logs.entry(1))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"jti": "01a20cf6-82dd-4e72-b147-000000000001"},
        {"iat": "2026-11-24T03:14:15+07:00"},
        {"ek": 202611},
        {"outcome": None},
        {"_sd": GOOD["_sd"][::-1]},
        {"_sd": GOOD["_sd"][:-1]},
        {"_sd": [GOOD["_sd"][0], *GOOD["_sd"][:-1]]},
        {"_sd": ["!" * 43] * 11},
        {"_sd_alg": "md5"},
        {"subject": ["x"]},
        {"n": 1.5},
    ],
)
def test_a_leaf_of_another_form_is_refused(change):
    assert leaf_fault(canonical(GOOD)) is None
    assert leaf_fault(canonical(GOOD | change)) is not None


def canonical(leaf):
    return json.dumps(leaf, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"nonsense", json.dumps(GOOD).encode(), canonical(GOOD) + b" "]
)
def test_what_is_no_canonical_object_is_refused(content):
    assert leaf_fault(content) is not None


def test_leaves_of_the_format_document_have_its_form():
    for record in json.loads(FILE.read_text())["records"].values():
        assert leaf_fault(record["leaf"].encode()) is None
