"""`POST /v1/individuals/translate` over HTTP."""

import time

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.examples import real_request
from tests.parties import Terms, agency

PATH = "/v1/individuals/translate"


def ids_of(sandbox, client):
    body = {"niks": list(EXAMPLE_NIKS)}
    answer = sandbox.call("POST", "/v1/individuals/batch-lookup", body, as_client=client)
    return [result["individual"]["id"] for result in answer.json()["results"]]


def test_two_agencies_join_on_their_ids_only_by_it(sandbox):
    theirs, mine = ids_of(sandbox, "demo-ministry"), ids_of(sandbox, "demo-explorer")
    assert not set(theirs) & set(mine)
    answer = sandbox.call("POST", PATH, {"ids": theirs, "from": "kementerian-demo"})
    assert answer.status_code == 200
    assert [each["individual"]["id"] for each in answer.json()["results"]] == mine


def test_the_other_agency_finds_it_in_its_own_log_without_anybody_s_number(sandbox):
    wanted = {"operation": "individuals.translate", "limit": 1}
    answer = sandbox.call("POST", PATH, real_request(sandbox, "individuals.translate"))
    receipt = answer.headers["dtsen-access-record"][1:37]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        own = sandbox.call("POST", "/v1/audit/search", wanted).json()["records"]
        found = sandbox.call("POST", "/v1/audit/search", wanted, as_client="demo-ministry").json()
        if [one["jti"] for one in own] == [receipt] and found["records"]:
            break
        time.sleep(0.1)  # the sequencer is another process; it sends no news
    (record,) = found["records"]
    assert (record["counterparty"], record["agency"]) == ("penjelajah-demo", "kementerian-demo")
    assert (record["n"], record["outcome"], record["client"]) == (1, "translated", None)
    assert record["subject"] == record["subject_kk"] == []
    assert own[0]["counterparty"] == "kementerian-demo"
    assert "unopenable" not in record


def test_without_a_joint_agreement_every_other_agency_is_the_same(sandbox):
    with agency(sandbox, Terms(joint=["kementerian-demo"])) as client:
        theirs = ids_of(sandbox, "demo-ministry")
        bodies = set()
        for other in ("kementerian-demo", "dinsos-demo", "tidak-ada", client):
            asked = {"ids": theirs, "from": other}
            answer = sandbox.call("POST", PATH, asked, as_client=client)
            assert answer.status_code == 403
            told = answer.json()
            assert told.pop("instance")
            bodies.add(str(told))
        assert len(bodies) == 1
        assert "/problems/not-joint" in bodies.pop()
