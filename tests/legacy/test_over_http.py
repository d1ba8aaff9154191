"""Legacy ids over HTTP, against the running sandbox."""

import pytest

from dtsen.legacy.answer import MOST_IDENTIFIERS
from dtsen.legacy.outcome import OUTCOMES
from tests.legacy.registry import ANSWER
from tests.legacy.worlds import household

PATH = "/v1/legacy/dtks/resolve"


def asked(*identifiers):
    return {"identifiers": [{"scheme": scheme, "value": value} for scheme, value in identifiers]}


def quota_left(response):
    """What is left of the day's people, from the RateLimit header."""
    (day,) = [part for part in response.headers["ratelimit"].split(",") if "people-day" in part]
    return int(dict(part.split("=") for part in day.split(";")[1:])["r"])


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("client", ["demo-dtks", "demo-explorer"])
def test_the_samples_of_each_outcome_come_out(sandbox, client, outcome):
    body = {"identifiers": sandbox.samples["dtks"][outcome]}
    response = sandbox.call("POST", PATH, body, as_client=client)
    assert response.status_code == 200
    answer = response.json()
    ANSWER.validate(answer)
    assert {result["outcome"] for result in answer["results"]} == {outcome}
    assert response.headers["dtsen-release"] == answer["release"]
    assert "leaf=:" in response.headers["dtsen-access-record"]


def test_a_merge_names_the_id_that_leads_to_the_same_person(sandbox):
    body = {"identifiers": sandbox.samples["dtks"]["merged"][:1]}
    (merged,) = sandbox.call("POST", PATH, body).json()["results"]
    (advice,) = [one for one in merged["advice"] if one["code"] == "use_replacement"]
    (kept,) = sandbox.call("POST", PATH, asked((advice["scheme"], advice["value"]))).json()[
        "results"
    ]
    assert kept["outcome"] == "exact"
    assert kept["candidates"][0]["id"] == merged["candidates"][0]["id"]


def test_a_candidate_is_the_person_that_a_lookup_finds(sandbox):
    body = {"identifiers": sandbox.samples["dtks"]["exact"][:1]}
    (result,) = sandbox.call("POST", PATH, body).json()["results"]
    (candidate,) = result["candidates"]
    found = sandbox.call("GET", f"/v1/individuals/{candidate['id']}").json()["individual"]
    assert found["nomor_induk_kependudukan"] == candidate["nik"]


def test_advice_speaks_the_callers_language(sandbox):
    body = asked(("id_dtks", household(999_999)))
    texts = {
        language: sandbox.call("POST", PATH, body, headers={"Accept-Language": language}).json()[
            "results"
        ][0]["advice"][0]
        for language in ("id", "en")
    }
    assert texts["id"]["code"] == texts["en"]["code"]
    assert texts["id"]["text"] != texts["en"]["text"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"identifiers": []}, "/identifiers"),
        (asked(*[("id_dtks", "1")] * (MOST_IDENTIFIERS + 1)), "/identifiers"),
        (asked(("nik", "1")), "/identifiers/0/scheme"),
        (asked(("id_dtks", "")), "/identifiers/0/value"),
        (asked(("id_dtks", "1" * 65)), "/identifiers/0/value"),
        ({"identifiers": [{"scheme": "id_dtks", "value": 3301}]}, "/identifiers/0/value"),
    ],
)
def test_a_request_of_another_shape_is_refused_whole(sandbox, body, pointer):
    response = sandbox.call("POST", PATH, body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_what_no_database_could_store_is_an_outcome_too(sandbox):
    body = asked(("idsemesta", "a\0b"), ("id_dtks", "\u0000" * 16), ("idsemesta", "\U0001f600"))
    response = sandbox.call("POST", PATH, body)
    assert [one["outcome"] for one in response.json()["results"]] == ["invalid_format"] * 3


def test_a_client_without_the_scope_is_refused(sandbox):
    response = sandbox.call("POST", PATH, asked(("id_dtks", "1")), as_client="demo-app")
    assert response.status_code == 403


def test_each_distinct_identifier_is_charged_once(sandbox):
    one, other = (item["value"] for item in sandbox.samples["dtks"]["unknown"][:2])
    before = quota_left(sandbox.call("POST", PATH, asked(("id_dtks", one))))
    body = asked(("id_dtks", one), ("id_dtks", f" {one}"), ("id_dtks", other))
    after = quota_left(sandbox.call("POST", PATH, body))
    assert before - after == 2
