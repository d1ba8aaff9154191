"""The access log over HTTP: searched, opened, and itself recorded."""

import json
import time

import pytest
from typer.testing import CliRunner

from cli import audit as command, main
from dtsen.audit.statement import Filter
from dtsen.client.showing import call
from dtsen.client.tokens import fetch_token
from tests.audit.expired import expired_cursor
from tests.audit.ledger import unique

SECONDS = 60
SEARCH = "/v1/audit/search"


def looked_up(sandbox, nik, as_client="demo-explorer", **headers):
    """The id of the record of a new lookup."""
    answer = sandbox.call(
        "POST", "/v1/individuals/lookup", {"nik": nik}, as_client=as_client, headers=headers
    )
    return answer.headers["dtsen-access-record"][1:37]


def found(sandbox, record_id, wanted, as_client="demo-explorer"):
    """A record, once a search finds it; the sequencer sends no news over HTTP."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answer = sandbox.call("POST", SEARCH, wanted, as_client=as_client)
        assert answer.status_code == 200, answer.text
        for one in answer.json()["records"]:
            if one["jti"] == record_id:
                return one
        time.sleep(0.1)
    pytest.fail(f"{record_id} was not found within {SECONDS} s")


def test_an_agency_finds_and_opens_its_own_lookup(sandbox):
    nik = sandbox.samples["identifiers"]["found"][0]
    record_id = looked_up(sandbox, nik, **{"DTSEN-Officer": "sri", "DTSEN-Case-Ref": "K-1"})
    wanted = {
        "subject": {"nik": nik},
        "officer": "sri",
        "case_ref": "K-1",
        "operation": "individuals.lookup",
        "outcome": "found",
        "purpose": "UJI-COBA",
        "from": "2026-01-01T00:00:00+07:00",
    }
    one = found(sandbox, record_id, wanted)
    assert (one["status"], one["actor"], one["subject"]) == (200, "officer", [nik])
    assert {"reason", "src_ip"}.isdisjoint(one)
    opened = sandbox.call("GET", f"/v1/audit/records/{record_id}")
    assert opened.json() == one


def test_a_programme_app_is_not_told_a_kk_by_its_log(sandbox):
    nik = sandbox.samples["identifiers"]["found"][1]
    record_id = looked_up(sandbox, nik, "demo-app")
    one = found(sandbox, record_id, {"subject": {"nik": nik}}, "demo-app")
    assert one["subject"] == [nik]
    assert "subject_kk" not in one
    audited = sandbox.call("GET", f"/v1/audit/records/{record_id}", as_client="demo-auditor")
    assert len(audited.json()["subject_kk"]) == 1
    assert audited.json()["reason"] == ["seen"]


def test_a_search_is_recorded_with_whom_it_was_for(sandbox):
    nik = sandbox.samples["identifiers"]["found"][2]
    looked_up(sandbox, nik)
    answer = sandbox.call("POST", SEARCH, {"subject": {"nik": nik}}, as_client="demo-auditor")
    record_id = answer.headers["dtsen-access-record"][1:37]
    wanted = {"subject": {"nik": nik}, "operation": "audit.search"}
    one = found(sandbox, record_id, wanted, "demo-auditor")
    assert (one["typ"], one["subject"], one["n"]) == ("audit.search", [nik], 0)
    assert one["q"]["shown"] == len(answer.json()["records"])
    assert nik not in str(one["q"])


@pytest.mark.parametrize(
    ("operation", "typ", "member"),
    [
        ("schema.migrate", "admin", "revision"),
        ("worker.start", "config", "config"),
        ("sequencer.lead", "admin", "sw"),
        ("release.activate", "admin", "ds"),
        ("oauth.token", "login", "scope"),
    ],
)
def test_what_operators_and_processes_do_is_recorded(sandbox, operation, typ, member):
    answer = sandbox.call("POST", SEARCH, {"operation": operation}, as_client="demo-auditor")
    one = answer.json()["records"][0]
    assert (one["op"], one["typ"]) == (operation, typ)
    assert one[member]


def test_an_overseer_needs_the_scope_for_subjects(sandbox):
    nik = sandbox.samples["identifiers"]["found"][0]
    record_id = looked_up(sandbox, nik)
    narrow = sandbox.client("demo-auditor") | {"scope": "audit:read"}
    token = fetch_token(narrow, http=sandbox.http)
    subject = {"subject": {"nik": nik}}
    refused = call(narrow, token, "POST", SEARCH, http=sandbox.http, json=subject)
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("/problems/audit-subjects-required")
    path = f"/v1/audit/records/{record_id}"
    opened = call(narrow, token, "GET", path, http=sandbox.http)
    assert opened.status_code == 200
    assert {"subject", "subject_kk", "q"}.isdisjoint(opened.json())


def test_another_agencys_record_is_like_none_at_all(sandbox):
    theirs = looked_up(sandbox, sandbox.samples["identifiers"]["found"][0])
    nobodys = "01a20cf6-82dd-7e72-b147-7b284b3a98ab"
    bodies = []
    for record_id in (theirs, nobodys, "nonsense"):
        answer = sandbox.call("GET", f"/v1/audit/records/{record_id}", as_client="demo-app")
        assert answer.status_code == 404
        bodies.append({**answer.json(), "instance": None})
    assert bodies[0] == bodies[1] == bodies[2]


def test_pages_go_on_by_cursor_and_end(sandbox):
    case = unique("HALAMAN")
    nik = sandbox.samples["identifiers"]["found"][0]
    ids = [looked_up(sandbox, nik, **{"DTSEN-Case-Ref": case}) for _ in range(5)]
    found(sandbox, ids[-1], {"case_ref": case})
    told, cursor = [], None
    while True:
        asked = {"case_ref": case, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = sandbox.call("POST", SEARCH, asked).json()
        told += [one["jti"] for one in page["records"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert told == ids[::-1]


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"limit": 501}, 422, "invalid-request"),
        ({"limit": 0}, 422, "invalid-request"),
        ({"subject": {"nik": "12"}}, 422, "invalid-request"),
        ({"subject": {}}, 422, "invalid-request"),
        ({"nik": "x"}, 422, "invalid-request"),
        ({"from": "2026-02-30T00:00:00Z"}, 422, "invalid-request"),
        ({"from": "2026-02-01"}, 422, "invalid-request"),
        ({"to": "0001-01-01T00:00:00+14:00"}, 422, "invalid-request"),
        ({"cursor": "1.nonsense"}, 400, "invalid-cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused(sandbox, wanted, status, code):
    answer = sandbox.call("POST", SEARCH, wanted)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, code)


@pytest.mark.parametrize(
    "instant", ["2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999z"]
)
def test_odd_instants_are_understood(sandbox, instant):
    for wanted in ({"from": instant}, {"to": instant}):
        assert sandbox.call("POST", SEARCH, wanted).status_code == 200


def test_an_overseer_names_the_agency_of_an_officer(sandbox):
    refused = sandbox.call("POST", SEARCH, {"officer": "sri"}, as_client="demo-auditor")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"pointer": "/officer", "code": "agency-required"}]


def test_the_command_prints_as_many_pages_as_it_takes(sandbox, monkeypatch):
    case = unique("PERINTAH")
    nik = sandbox.samples["identifiers"]["found"][0]
    ids = [looked_up(sandbox, nik, **{"DTSEN-Case-Ref": case}) for _ in range(3)]
    found(sandbox, ids[-1], {"case_ref": case})
    monkeypatch.setattr(command, "PAGE", 2)
    file = str(sandbox.home / "demo" / "clients" / "demo-auditor.json")
    wanted = ["audit", "search", file, "--agency", "penjelajah-demo", "--case-ref", case]
    told = CliRunner().invoke(main.app, [*wanted, "--subject", "-", "--json"], input=f"{nik}\n")
    assert told.exit_code == 0, told.output
    assert [one["jti"] for one in json.loads(told.stdout)["records"]] == ids[::-1]
    one = CliRunner().invoke(main.app, [*wanted, "--most", "1"])
    assert one.exit_code == 0
    assert "complete until" in one.stdout
    refused = CliRunner().invoke(main.app, ["audit", "search", file, "--officer", "sri"])
    assert refused.exit_code == 1


def test_an_old_cursor_is_gone(sandbox):
    cursor = expired_cursor(sandbox, "demo-explorer", Filter(outcome="found"))
    answer = sandbox.call("POST", SEARCH, {"outcome": "found", "cursor": cursor})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (410, "cursor-expired")
    other = sandbox.call("POST", SEARCH, {"outcome": "partial", "cursor": cursor})
    assert other.status_code == 400


def test_a_whole_number_is_one_however_it_is_written(sandbox):
    for limit in ("2", "2.0", "2e0"):
        content = f'{{"limit": {limit}}}'.encode()
        headers = {"content-type": "application/json"}
        answer = sandbox.call("POST", SEARCH, headers=headers, content=content)
        assert answer.status_code == 200
        assert len(answer.json()["records"]) <= 2
    answer = sandbox.call("POST", SEARCH, {"limit": 2.5})
    assert answer.status_code == 422


def test_an_overseer_sees_what_operators_did_and_what_serves(sandbox):
    def search(operation, as_client):
        wanted = {"operation": operation, "limit": 500}
        answer = sandbox.call("POST", SEARCH, wanted, as_client=as_client)
        assert answer.status_code == 200, answer.text
        return answer.json()["records"]

    applied = {one["agreement"] for one in search("act.approve", "demo-auditor")}
    assert "PKS-907/2026" in applied
    (started, *_) = search("worker.start", "demo-auditor")
    assert started["q"]["profile"] == "sandbox"
    for operation in ("act.approve", "worker.start"):
        assert search(operation, "demo-explorer") == [], "they belong to no agency"
