"""Absence: nobody can tell why somebody is not found, and everybody is told what it means."""

from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.keys import Keyring
from dtsen.releases.synth import EXAMPLE_KK, EXAMPLE_NIKS
from dtsen.settings import Settings
from schemas.absence import CAUSES, NEXT_STEPS
from tests.api.answers import alike, people_left, recorded

LOOKUP = "/v1/individuals/lookup"
BATCH = "/v1/individuals/batch-lookup"
PROVINCE = "demo-province"
NOBODY = "3374990101900009"  # no serial below 11 is issued but the example family's


def outside(sandbox) -> str:
    return str(sandbox.samples["identifiers"]["outside_province"][0])


def own_id(sandbox, nik: str) -> str:
    """The id by which the province would know somebody, had it ever been told."""
    ids = PairwiseIds(Keyring(Settings(home=sandbox.home).key_directory))
    return ids.of("provinsi-demo", "1", Kind.INDIVIDUAL, nik)


def foreign_id(sandbox) -> str:
    """Another agency's id of somebody inside the province."""
    told = sandbox.call("POST", LOOKUP, {"nik": EXAMPLE_NIKS[0]}, as_client="demo-ministry")
    return str(told.json()["individual"]["id"])


def test_the_example_family_is_inside_the_province(sandbox):
    answer = sandbox.call("POST", LOOKUP, {"nik": EXAMPLE_NIKS[0]}, as_client=PROVINCE)
    assert answer.status_code == 200
    person = answer.json()["individual"]["id"]
    assert person == own_id(sandbox, EXAMPLE_NIKS[0])


def test_absent_and_outside_are_told_alike_and_cost_alike(sandbox):
    told, costs = [], []
    left = people_left(sandbox.call("POST", LOOKUP, {"nik": NOBODY}, as_client=PROVINCE))
    for nik in (NOBODY, outside(sandbox), EXAMPLE_NIKS[0]):
        answer = sandbox.call("POST", LOOKUP, {"nik": nik}, as_client=PROVINCE)
        costs.append(left - people_left(answer))
        left = people_left(answer)
        told.append(alike(answer))
    assert told[0] == told[1]
    assert told[0][0] == 404
    assert costs[0] == costs[1] == costs[2] == 1


def test_every_id_that_opens_nobody_is_told_alike(sandbox):
    ids = {
        "no id": "lookups",
        "NUL": "%00",
        "a NIK": NOBODY,
        "of the right form": "i1-" + "A" * 43,
        "of an unknown key": "i999-" + "A" * 43,
        "a family's": own_id(sandbox, EXAMPLE_NIKS[0]).replace("i", "k", 1),
        "another agency's": foreign_id(sandbox),
        "of nobody": own_id(sandbox, NOBODY),
        "of somebody outside": own_id(sandbox, outside(sandbox)),
    }
    by_nik = sandbox.call("POST", LOOKUP, {"nik": NOBODY}, as_client=PROVINCE)
    for what, subject in ids.items():
        answer = sandbox.call("GET", f"/v1/individuals/{subject}", as_client=PROVINCE)
        assert alike(answer) == alike(by_nik), what
        record = recorded(sandbox, answer)
        assert (record.outcome, record.people) == ("not_found", 0), what


def test_a_batch_tells_absent_and_outside_alike(sandbox):
    niks = [NOBODY, outside(sandbox), EXAMPLE_NIKS[0]]
    answer = sandbox.call(
        "POST", "/v1/individuals/batch-lookup", {"niks": niks}, as_client=PROVINCE
    )
    results = answer.json()["results"]
    assert results[:2] == [{"nik": nik, "status": "not_found"} for nik in niks[:2]]
    assert results[2]["status"] == "found"
    assert recorded(sandbox, answer).people == 1


def test_families_outside_are_absent_too(sandbox):
    elsewhere = sandbox.call("POST", LOOKUP, {"nik": outside(sandbox)}).json()
    kk = elsewhere["individual"]["nomor_kartu_keluarga"]
    told = [
        alike(sandbox.call("POST", "/v1/families/lookup", body, as_client=PROVINCE))
        for body in ({"nomor_kartu_keluarga": kk}, {"nomor_kartu_keluarga": "3374990101150009"})
    ]
    assert told[0] == told[1]
    found = {"nomor_kartu_keluarga": EXAMPLE_KK}
    answer = sandbox.call("POST", "/v1/families/lookup", found, as_client=PROVINCE)
    assert answer.status_code == 200


def test_it_says_as_of_when_within_what_why_and_where_to_go(sandbox):
    for client, scope in (("demo-explorer", "national"), (PROVINCE, "agreement")):
        told = sandbox.call("POST", LOOKUP, {"nik": NOBODY}, as_client=client).json()
        assert (told["release"], told["scope"]) == ("2026-Q3", scope)
        assert {cause["code"] for cause in told["causes"]} == CAUSES.keys()
        assert {step["code"] for step in told["next_steps"]} == NEXT_STEPS.keys()
        assert all(cause["text"] == CAUSES[cause["code"]].id for cause in told["causes"])
