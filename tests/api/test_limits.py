"""Limits hold on every operation, found by sending requests until one is refused."""

import time

import pytest

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.api.answers import code, limits, people_left
from tests.documented import DOCUMENT, faults_of
from tests.examples import example_path, operations
from tests.parties import Terms, agency
from tests.reaching import Caller

BATCH = "/v1/individuals/batch-lookup"
LOOKUP = "/v1/individuals/lookup"
WINDOW_SECONDS = 1.0
NOBODY = "3374990101900009"


@pytest.fixture(scope="module")
def caller(sandbox):
    with agency(sandbox, Terms(per_second=3)) as small:
        yield Caller(sandbox, small, small)


@pytest.mark.parametrize("operation_id", operations(DOCUMENT))
def test_every_operation_ends_in_429(caller, operation_id):
    _, template, operation = operations(DOCUMENT)[operation_id]
    answer = caller.until_limited(operation_id, example_path(operation_id, template))
    assert (answer.status_code, code(answer)) == (429, "rate-limited")
    assert faults_of(operation, answer) == []
    assert limits(answer)["burst"] == {"q": 3, "w": 1, "r": 0, "t": 1}
    assert int(answer.headers["retry-after"]) >= 1
    assert "dtsen-access-record" not in answer.headers


def test_after_the_window_requests_are_answered_again(sandbox, caller):
    caller.until_limited("releases.list", "/v1/releases")
    time.sleep(WINDOW_SECONDS)  # what Retry-After asks for
    answer = sandbox.call("GET", "/v1/releases", as_client=caller.small)
    assert answer.status_code == 200


def test_a_budget_of_people_ends_and_a_batch_it_does_not_cover_reads_nobody(sandbox):
    with agency(sandbox, Terms(people_per_day=6)) as client:
        four = {"niks": [*EXAMPLE_NIKS, *EXAMPLE_NIKS], "fields": ["nama"]}
        first = sandbox.call("POST", BATCH, four, as_client=client)
        assert (first.status_code, people_left(first)) == (200, 2)
        second = sandbox.call("POST", BATCH, four, as_client=client)
        assert (second.status_code, code(second)) == (429, "quota-exhausted")
        assert int(second.headers["retry-after"]) >= 1
        for _ in range(2):  # a miss costs what a person costs
            answer = sandbox.call("POST", LOOKUP, {"nik": NOBODY}, as_client=client)
            assert answer.status_code == 404
        assert people_left(answer) == 0
        answer = sandbox.call("POST", LOOKUP, {"nik": EXAMPLE_NIKS[0]}, as_client=client)
        assert (answer.status_code, code(answer)) == (429, "quota-exhausted")
        assert sandbox.call("GET", "/v1/dictionary", as_client=client).status_code == 200


def test_what_a_request_itself_gets_wrong_costs_nobody(sandbox):
    with agency(sandbox, Terms(people_per_day=2)) as client:
        for body in ({"nik": "1"}, {"nik": NOBODY, "fields": ["penyakit_kronis"]}, {}):
            assert sandbox.call("POST", LOOKUP, body, as_client=client).status_code in {403, 422}
        answer = sandbox.call("POST", LOOKUP, {"nik": NOBODY}, as_client=client)
        assert people_left(answer) == 1


def test_one_agencys_limit_is_not_anothers(sandbox, caller):
    caller.until_limited("dictionary.get", "/v1/dictionary")
    assert sandbox.call("GET", "/v1/dictionary").status_code == 200
