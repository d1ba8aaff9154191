"""Every call of `samples.json` answers as it says."""

from typing import Any

CASES = {
    "found",
    "not_found",
    "no_decile",
    "above_threshold",
    "deceased",
    "moved",
    "stale_population_data",
    "in_verification",
    "changed_family_card",
    "family",
    "outside_province",
    "restriction_mark",
    "restriction_limit",
    "restriction_hide",
}
OUTCOMES = {
    "invalid_format",
    "unknown",
    "unmatched",
    "deceased",
    "out_of_snapshot",
    "ambiguous",
    "split",
    "merged",
    "exact",
}
CLIENTS = {
    "demo-explorer",
    "demo-ministry",
    "demo-app",
    "demo-insurer",
    "demo-province",
    "demo-dtks",
    "demo-auditor",
    "demo-verifier",
}


def pointed(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def test_every_call_answers_as_it_says(sandbox):
    for call in sandbox.samples["calls"]:
        answer = sandbox.call(
            call["method"],
            call["path"],
            call["body"],
            as_client=call["client_id"],
            headers=call["headers"],
        )
        assert answer.status_code == call["expect"]["status"], (call, answer.text)
        told = answer.json()
        for pointer, value in call["expect"]["members"].items():
            assert pointed(told, pointer) == value, (call["case"], call["client_id"], pointer)


def test_there_is_a_call_for_every_case_and_client(sandbox):
    samples = sandbox.samples
    assert set(samples["identifiers"]) == CASES
    assert set(samples["dtks"]) == OUTCOMES
    assert {call["case"] for call in samples["calls"]} == CASES | OUTCOMES
    assert {call["client_id"] for call in samples["calls"]} == CLIENTS
    for identifiers in [*samples["identifiers"].values(), *samples["dtks"].values()]:
        assert identifiers
