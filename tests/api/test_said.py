"""Purpose, actor, officer and case are held against the agreement, and always recorded."""

import pytest

from tests.documented import faults_of
from tests.examples import operations
from tests.parties import Terms, agency

OFFICER, CASE = {"DTSEN-Officer": "petugas-7"}, {"DTSEN-Case-Ref": "KASUS-1"}


@pytest.fixture(scope="module")
def client(sandbox):
    terms = Terms(said={"actors": ["officer", "subject"], "require": ["officer", "case_ref"]})
    with agency(sandbox, terms) as name:
        yield name


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (OFFICER | CASE, 200, None),
        (OFFICER | CASE | {"DTSEN-Actor": "subject"}, 200, None),
        (OFFICER | CASE | {"DTSEN-Actor": "system"}, 403, "actor-not-permitted"),
        (CASE, 403, "actor-not-permitted"),
        (CASE | {"DTSEN-Actor": "officer"}, 400, "officer-required"),
        (OFFICER, 400, "case-ref-required"),
    ],
)
def test_a_request_says_what_its_purpose_asks_for(sandbox, client, said, status, code):
    body = {"nik": sandbox.samples["identifiers"]["found"][0]}
    path = "/v1/individuals/lookup"
    answer = sandbox.call("POST", path, body, as_client=client, headers=said)
    assert answer.status_code == status, answer.text
    own = sandbox.call("GET", "/v1/openapi.json", as_client=client).json()
    operation = operations(own)["individuals.lookup"][2]
    assert faults_of(operation, answer, own) == []
    if code:
        assert answer.json()["type"].endswith(f"/{code}")
        assert "dtsen-access-record" in answer.headers or status == 400
    asked = {each.get("name"): each for each in operation["parameters"]}
    assert asked["DTSEN-Actor"]["schema"]["enum"] == ["officer", "subject"]
    assert asked["DTSEN-Officer"]["required"]
    assert asked["DTSEN-Case-Ref"]["required"]
    (purpose,) = sandbox.call("GET", "/v1/agreement", as_client=client).json()["agreement"][
        "purposes"
    ]
    assert (purpose["actors"], purpose["require"]) == (
        ["officer", "subject"],
        ["officer", "case_ref"],
    )
