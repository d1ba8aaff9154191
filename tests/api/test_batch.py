"""Up to a thousand people: order, duplicates, lines, and all or nothing."""

import json

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.api.answers import people_left, recorded
from tests.documented import DOCUMENT, faults_of
from tests.examples import operations

BATCH = "/v1/individuals/batch-lookup"
LINES = {"Accept": "application/x-ndjson"}
NOBODY = "3374990101900009"


def test_order_is_kept_and_duplicates_are_answered_in_place_and_charged_once(sandbox):
    niks = [EXAMPLE_NIKS[2], NOBODY, EXAMPLE_NIKS[0], EXAMPLE_NIKS[2], EXAMPLE_NIKS[2]]
    before = sandbox.call("POST", BATCH, {"niks": [NOBODY]})
    answer = sandbox.call("POST", BATCH, {"niks": niks})
    results = answer.json()["results"]
    assert [result["nik"] for result in results] == niks
    found = ["found", "not_found", "found", "found", "found"]
    assert [result["status"] for result in results] == found
    assert results[0] == results[3] == results[4]
    assert people_left(before) - people_left(answer) == 3
    record = recorded(sandbox, answer)
    assert (record.outcome, record.people) == ("partial", 2)


def test_lines_say_what_the_document_says(sandbox):
    niks = [*EXAMPLE_NIKS, NOBODY]
    answer = sandbox.call("POST", BATCH, {"niks": niks}, headers=LINES)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text.endswith("\n")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == sandbox.call("POST", BATCH, {"niks": niks}).json()["results"]
    _, _, operation = operations(DOCUMENT)["individuals.batch-lookup"]
    assert faults_of(operation, answer) == []


def test_an_error_is_a_problem_whichever_form_was_asked_for(sandbox):
    answer = sandbox.call("POST", BATCH, {"niks": []}, headers=LINES)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_thousand_are_answered_in_one_record(sandbox):
    niks = [f"33749901019{number:05d}" for number in range(1_000)]
    answer = sandbox.call("POST", BATCH, {"niks": niks, "fields": ["nama"]})
    results = answer.json()["results"]
    assert [result["nik"] for result in results] == niks
    found = [result for result in results if result["status"] == "found"]
    assert recorded(sandbox, answer).people == len(found)
    assert EXAMPLE_NIKS[0] in {result["nik"] for result in found}


def test_one_invalid_item_refuses_the_whole_unread_and_uncharged(sandbox):
    before = sandbox.call("POST", BATCH, {"niks": [NOBODY]})
    answer = sandbox.call("POST", BATCH, {"niks": [*EXAMPLE_NIKS] * 4 + ["1"] + [NOBODY]})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/niks/16", "code": "malformed-nik"}]
    after = sandbox.call("POST", BATCH, {"niks": [NOBODY]})
    assert people_left(before) - people_left(after) == 1
    assert recorded(sandbox, answer).people == 0
