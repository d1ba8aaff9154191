"""What headers ask and answer: purpose, language, limits, safety."""

import pytest

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.api.answers import code, limits, recorded
from tests.parties import Terms, agency

LOOKUP = "/v1/individuals/lookup"
FOUND, MISSING = {"nik": EXAMPLE_NIKS[0]}, {"nik": "3374990101900009"}


@pytest.fixture(scope="module")
def two_purposes(sandbox):
    with agency(sandbox, Terms(purposes=("UJI-SATU", "UJI-DUA"))) as client:
        yield client


def test_of_several_purposes_one_must_be_named(sandbox, two_purposes):
    answer = sandbox.call("POST", LOOKUP, FOUND, as_client=two_purposes)
    assert (answer.status_code, code(answer)) == (400, "purpose-required")
    assert recorded(sandbox, answer).purpose is None
    for purpose in ("UJI-SATU", "UJI-DUA"):
        said = {"DTSEN-Purpose": purpose}
        answer = sandbox.call("POST", LOOKUP, FOUND, as_client=two_purposes, headers=said)
        assert answer.status_code == 200
        assert recorded(sandbox, answer).purpose == purpose


def test_a_purpose_that_the_agreement_has_not_is_not_permitted(sandbox, two_purposes):
    for client in (two_purposes, "demo-app"):
        said = {"DTSEN-Purpose": "TUJUAN-LAIN"}
        answer = sandbox.call("POST", LOOKUP, FOUND, as_client=client, headers=said)
        assert (answer.status_code, code(answer)) == (403, "purpose-not-permitted")
        assert "TUJUAN-LAIN" not in answer.text


def test_the_only_purpose_may_be_left_out(sandbox):
    answer = sandbox.call("POST", LOOKUP, FOUND, as_client="demo-app")
    assert recorded(sandbox, answer).purpose == "PKH-VERIFIKASI"


def test_calls_for_any_token_take_no_purpose(sandbox, two_purposes):
    answer = sandbox.call("GET", "/v1/releases", as_client=two_purposes)
    assert answer.status_code == 200
    assert recorded(sandbox, answer).purpose is None


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("en", "en"),
        ("en-GB,id;q=0.5", "en"),
        ("EN", "en"),
        ("id", "id"),
        ("id,en", "id"),
        ("fr", "id"),
        ("", "id"),
        ("*", "id"),
    ],
)
def test_problems_speak_indonesian_and_english_to_whoever_prefers_it(sandbox, said, language):
    told = sandbox.call("POST", LOOKUP, MISSING, headers={"Accept-Language": said}).json()
    title = {"id": "Tidak ditemukan dalam cakupan Anda", "en": "Not found within your scope"}
    assert told["title"] == title[language]
    words = {"id": "Kartu keluarga baru", "en": "A new family card"}
    assert any(cause["text"].startswith(words[language]) for cause in told["causes"])


def test_limits_are_announced_in_structured_fields(sandbox):
    answer = sandbox.call("POST", LOOKUP, FOUND, as_client="demo-app")
    told = limits(answer)
    assert told.keys() == {"burst", "requests-minute", "people-day"}
    assert (told["burst"]["q"], told["burst"]["w"]) == (50, 1)
    assert (told["requests-minute"]["q"], told["requests-minute"]["w"]) == (3_000, 60)
    assert (told["people-day"]["q"], told["people-day"]["w"]) == (50_000, 86_400)
    assert told["people-day"]["qu"] == "people"
    for limit in told.values():
        assert 0 <= limit["r"] <= limit["q"]
        assert 0 <= limit["t"] <= limit["w"]


def test_limits_are_announced_on_refusals_of_whoever_is_known(sandbox):
    for answer in (
        sandbox.call("POST", LOOKUP, MISSING),
        sandbox.call("POST", LOOKUP, {}),
        sandbox.call("POST", LOOKUP, FOUND, headers={"Accept": "text/csv"}),
        sandbox.call("POST", LOOKUP, FOUND, headers={"DTSEN-Actor": "nobody"}),
        sandbox.call("POST", LOOKUP, FOUND, as_client="demo-auditor"),
    ):
        assert answer.status_code >= 400
        assert {"burst", "requests-minute"} <= limits(answer).keys()


def test_every_answer_is_kept_from_caches_and_frames(sandbox):
    answers = [
        sandbox.call("POST", LOOKUP, FOUND),
        sandbox.call("POST", LOOKUP, {}),
        sandbox.http.get("/v1/releases"),
        sandbox.http.get("/v1/nowhere"),
        sandbox.http.put("/v1/releases"),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 401, 404, 405]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
