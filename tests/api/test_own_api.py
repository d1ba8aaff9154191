"""`GET /v1/agreement` and `GET /v1/openapi.json` over HTTP, and the same offline."""

import json
import os
import subprocess
import sys

import pytest

from api.own.document import PURPOSES
from dtsen.client.tokens import fetch_token
from tests.api.test_own_document import ANY, DEMO
from tests.documented import faults_of
from tests.examples import operations
from tests.parties import Terms, agency


def told(sandbox, client):
    answer = sandbox.call("GET", "/v1/openapi.json", as_client=client)
    assert answer.status_code == 200, answer.text
    return answer.json()


CLIENTS = (
    "demo-explorer",
    "demo-ministry",
    "demo-app",
    "demo-insurer",
    "demo-province",
    "demo-dtks",
    "demo-auditor",
    "demo-verifier",
)


SIGNED = {"client.keys"}
"""Operations whose request holds a signature of its client's own key: no example can."""


@pytest.mark.parametrize("client", CLIENTS)
def test_every_answer_is_one_that_the_callers_own_document_describes(sandbox, client):
    own = told(sandbox, client)
    for name, (method, path, operation) in operations(own).items():
        if "{" in path or name in SIGNED:
            continue
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        purposes = operation.get(PURPOSES, {None: None})
        for purpose in purposes:
            for form in operation["responses"]["200"]["content"]:
                headers = {"Accept": form, **({"DTSEN-Purpose": purpose} if purpose else {})}
                answer = sandbox.call(
                    method, path, body.get("example"), headers=headers, as_client=client
                )
                assert answer.status_code in {200, 404}, (name, answer.text)
                assert faults_of(operation, answer, own) == [], name


def test_a_token_of_fewer_scopes_has_fewer_operations_and_an_agreement_none(sandbox):
    few = fetch_token(sandbox.client("demo-explorer") | {"scope": "audit:read"}, http=sandbox.http)
    answer = sandbox.http.get("/v1/openapi.json", headers={"Authorization": f"Bearer {few}"})
    assert operations(answer.json()).keys() == ANY | {"audit.search", "audit.record", "audit.proof"}
    whole = sandbox.http.get("/v1/agreement", headers={"Authorization": f"Bearer {few}"})
    assert whole.json() == sandbox.call("GET", "/v1/agreement").json()


def test_offline_it_is_the_same(sandbox):
    file = next(f for f in DEMO if f.stem == "province")
    made = subprocess.run(
        [sys.executable, "-m", "cli.main", "agreement", "openapi", file],
        check=True,
        capture_output=True,
        env=os.environ | {"DTSEN_HOME": str(sandbox.home), "DTSEN_PORT": str(sandbox.port)},
    )
    assert json.loads(made.stdout) == told(sandbox, "demo-province")


def test_an_agreement_is_told_in_words_and_gone_once_revoked(sandbox):
    rows = {"wilayah": {"system": "bps", "codes": ["33"]}, "desil_nasional": {"max": 5}}
    terms = Terms(masks={"anggota.nama": "initials"}, rows=rows, people_per_day=70)
    with agency(sandbox, terms) as client:
        found = sandbox.call("GET", "/v1/agreement", as_client=client).json()["agreement"]
        token = sandbox.token(client)
    assert found["number"] == f"PKS-{client}"
    assert found["rows"]["wilayah"]["regions"] == [{"code": "33", "name": "Jawa Tengah"}]
    assert found["quota"]["people_per_day"] == 70
    weights = {each["sensitivity"]: each["weight"] for each in found["quota"]["weights"]}
    assert weights == {"open": 1, "quasi": 1, "personal": 1, "specific": 5}
    (purpose,) = found["purposes"]
    assert [v["name"] for v in purpose["variables"] if v["mask"]] == ["anggota.nama"]
    for language in ("id", "en"):
        summary = " ".join(each[language] for each in found["summary"])
        for words in ("Jawa Tengah", "70", "anggota.nama", "Permen PPN 7/2025"):
            assert words in summary
    answer = sandbox.http.get("/v1/agreement", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
