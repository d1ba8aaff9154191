"""`openapi.yaml` is what the application is, and keeps the rules of the contract."""

import re
from copy import deepcopy
from pathlib import Path

import openapi_spec_validator
import pytest
import yaml

from api.app import create_app
from api.openapi import as_yaml, document
from cli.openapi import PUBLISHED_ISSUER
from dtsen.settings import Settings
from tests.examples import ask, operations, read_example
from tests.openapi_rules import RULES, parts, requests

FILE = Path(__file__).resolve().parents[1] / "openapi.yaml"
COMMITTED = yaml.safe_load(FILE.read_text())
NIK_ODDITIES = (
    "9974990101900001",  # no province of today
    "3374993102900001",  # 31 February
    "3374990101900000",  # serial zero
    "3374994101900001",  # a woman's day
)
SHORT_KK = "337499010115001"  # 15 digits, as the registry has them


def test_the_committed_document_is_the_generated_one():
    generated = as_yaml(document(create_app(Settings()), PUBLISHED_ISSUER))
    assert FILE.read_text() == generated, "run `make openapi`"


def test_it_is_valid_openapi_31():
    assert COMMITTED["openapi"].startswith("3.1.")
    openapi_spec_validator.validate(COMMITTED)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_the_rule(rule):
    assert list(rule(COMMITTED)) == []


LOOKUP = ("paths", "/v1/individuals/lookup", "post")
BODY = ("components", "schemas", "IndividualLookup")
OK = (*LOOKUP, "responses", "200", "content", "application/json")
# What is taken away, and the rule that must notice.
PLANTED = {
    "operationId": ((*LOOKUP, "operationId"), "named_and_described"),
    "tag": ((*LOOKUP, "tags"), "named_and_described"),
    "description": ((*LOOKUP, "description"), "named_and_described"),
    "security": ((*LOOKUP, "security"), "secured"),
    "maxLength": ((*BODY, "properties", "nik", "maxLength"), "bounded"),
    "maxItems": ((*BODY, "properties", "fields", "anyOf", 0, "maxItems"), "bounded"),
    "minimum": (
        ("components", "schemas", "AuditSearch", "properties", "limit", "minimum"),
        "bounded",
    ),
    "closed body": ((*BODY, "additionalProperties"), "bounded"),
    "pattern": ((*BODY, "properties", "nik", "pattern"), "identified"),
    "status": ((*LOOKUP, "responses", "413"), "answered"),
    "problem": (
        (*LOOKUP, "responses", "404", "content", "application/problem+json", "schema"),
        "answered",
    ),
    "answer's example": ((*OK, "example"), "exemplified"),
    "a member of an example": ((*OK, "example", "release"), "exemplified"),
    "request's example": (
        (*LOOKUP, "requestBody", "content", "application/json", "example"),
        "exemplified",
    ),
}


@pytest.mark.parametrize(("place", "name"), PLANTED.values(), ids=PLANTED)
def test_a_rule_notices_what_is_taken_away(place, name):
    broken = deepcopy(COMMITTED)
    *way, last = place
    part = broken
    for step in way:
        part = part[step]
    del part[last]
    (rule,) = (rule for rule in RULES if rule.__name__ == name)
    assert list(rule(broken)) != []


def test_the_frameworks_own_refusals_are_gone():
    shapes = COMMITTED["components"]["schemas"]
    assert not {"HTTPValidationError", "ValidationError"} & shapes.keys()
    assert "input" not in shapes["Problem"]["properties"]


def test_patterns_refuse_no_oddity_that_the_registry_knows():
    found = {"nik": 0, "niks": 0, "nomor_kartu_keluarga": 0}
    for _, top, schema in requests(COMMITTED):
        for name, part in parts(COMMITTED, schema, top):
            if name in found and "pattern" in part:
                found[name] += 1
                odd = [SHORT_KK] if name == "nomor_kartu_keluarga" else NIK_ODDITIES
                assert all(re.search(part["pattern"], number) for number in odd)
                assert not re.search(part["pattern"], "0" * 16)
    assert all(found.values())


def test_null_members_stay_in_examples():
    told = COMMITTED["paths"]["/v1/individuals/lookup"]["post"]["responses"]["200"]
    person = told["content"]["application/json"]["example"]["individual"]
    assert {name for name, value in person.items() if value is None} == {
        "jumlah_usaha",
        "lapangan_usaha_dari_usaha_utama",
        "jumlah_pekerja_yang_dibayar_dari_usaha_utama",
        "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama",
        "omzet_usaha_utama",
    }


def test_there_is_no_example_of_an_operation_that_is_not_there():
    folder = FILE.parent / "api" / "examples"
    assert {file.stem for file in folder.iterdir()} == operations(COMMITTED).keys()


@pytest.mark.parametrize("operation_id", operations(COMMITTED))
def test_the_example_works_as_it_stands(sandbox, operation_id):
    """Asked of a running sandbox, the answer is the example's, opaque ids aside."""
    example = read_example(operation_id)
    answers = ask(sandbox, COMMITTED, operation_id, example)
    assert answers == example["response"], "run `python -m tests.record_examples`"
