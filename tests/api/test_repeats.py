"""`Idempotency-Key`: a repeat costs a request and no people, in every worker, after a restart."""

from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import httpx2
import pytest

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.api.answers import code, limits, people_left, recorded
from tests.auth.spending import drawn
from tests.faults.serving import serving
from tests.parties import Terms, agency

LOOKUP = "/v1/individuals/lookup"
BATCH = "/v1/individuals/batch-lookup"
ASKED = {"nik": EXAMPLE_NIKS[0], "fields": ["nama"]}


def keyed(sandbox, client, key, body=None, path=LOOKUP, **headers):
    said = {"Idempotency-Key": key, **headers}
    return sandbox.call("POST", path, body or ASKED, headers=said, as_client=client)


def test_a_repeat_is_read_and_recorded_anew_and_costs_no_people(sandbox):
    key = token_hex(8)
    with agency(sandbox, Terms(people_per_day=1)) as client:
        answers = [keyed(sandbox, client, key) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 6
        assert {answer.text for answer in answers} == {answers[0].text}
        assert len({answer.headers["dtsen-access-record"] for answer in answers}) == 6
        assert all(recorded(sandbox, answer).people == 1 for answer in answers)
        assert people_left(answers[-1]) == 0
        assert "requests-minute" in limits(answers[-1])
        other = sandbox.call("POST", LOOKUP, ASKED, as_client=client)
        assert (other.status_code, code(other)) == (429, "quota-exhausted")


def test_a_batch_is_repeated_as_a_whole(sandbox):
    key = token_hex(8)
    with agency(sandbox, Terms(people_per_day=2)) as client:
        body = {"niks": list(EXAMPLE_NIKS[:2]), "fields": ["nama"]}
        assert keyed(sandbox, client, key, body, BATCH).status_code == 200
        assert keyed(sandbox, client, key, body, BATCH).status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({**ASKED, "fields": ["jenis_kelamin"]}, LOOKUP),
        ({"niks": [EXAMPLE_NIKS[0]]}, BATCH),
    ],
)
def test_the_same_key_with_another_request_is_refused(sandbox, body, path):
    key = token_hex(8)
    assert keyed(sandbox, "demo-explorer", key).status_code == 200
    answer = keyed(sandbox, "demo-explorer", key, body, path)
    assert (answer.status_code, code(answer)) == (422, "idempotency-key-reused")
    assert recorded(sandbox, answer).outcome == "invalid"
    assert keyed(sandbox, "demo-explorer", key).status_code == 200


def test_keys_of_two_clients_do_not_meet(sandbox):
    key = token_hex(8)
    with agency(sandbox) as one, agency(sandbox) as other:
        assert keyed(sandbox, one, key).status_code == 200
        assert keyed(sandbox, other, key, {"nik": EXAMPLE_NIKS[1]}).status_code == 200


def test_what_a_refused_budget_left_unpaid_is_paid_by_the_repeat(sandbox):
    key = token_hex(8)
    with agency(sandbox, Terms(people_per_day=1)) as client:
        two = {"niks": list(EXAMPLE_NIKS[:2]), "fields": ["nama"]}
        for _ in range(2):
            assert keyed(sandbox, client, key, two, BATCH).status_code == 429


def test_a_key_lasts_a_day(sandbox):
    key = token_hex(8)
    with agency(sandbox, Terms(people_per_day=1)) as client:
        assert keyed(sandbox, client, key).status_code == 200
        with sandbox.owner() as connection:
            connection.execute(
                "UPDATE disclosure.repeat SET expires = now() - interval '1 s' WHERE client = %s",
                (client,),
            )
        assert keyed(sandbox, client, key).status_code == 429
        assert keyed(sandbox, client, key, {"nik": EXAMPLE_NIKS[1]}).status_code == 422


def test_many_at_once_cost_no_less_than_one(sandbox):
    key = token_hex(8)
    with agency(sandbox, Terms(people_per_day=3)) as client:
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: keyed(sandbox, client, key), range(24)))
        assert {answer.status_code for answer in answers} <= {200, 429}
        assert any(answer.status_code == 200 for answer in answers)
        assert 1 <= drawn(sandbox.urls, f"agency:{client}") <= 3


def test_it_holds_in_another_server_and_after_a_restart(sandbox):
    key = token_hex(8)
    with agency(sandbox, Terms(people_per_day=1)) as client:
        assert keyed(sandbox, client, key).status_code == 200
        token = sandbox.token(client)
        for _ in range(2):
            with serving(sandbox) as server:
                answers = [
                    httpx2.post(
                        f"http://127.0.0.1:{server.port}{LOOKUP}",
                        json=ASKED,
                        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
                    )
                    for _ in range(3)
                ]
            assert [answer.status_code for answer in answers] == [200] * 3


def test_neither_key_nor_body_is_kept(sandbox):
    key = f"kunci-{token_hex(8)}"
    assert keyed(sandbox, "demo-explorer", key).status_code == 200
    with sandbox.owner() as connection:
        rows = connection.execute("SELECT r::text FROM disclosure.repeat r").fetchall()
    text = "".join(row[0] for row in rows)
    assert rows
    for told in (key, key.encode().hex(), EXAMPLE_NIKS[0], EXAMPLE_NIKS[0].encode().hex()):
        assert told not in text


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "kunci\u00e9".encode()])
def test_a_malformed_key_is_refused(sandbox, key):
    answer = keyed(sandbox, "demo-explorer", key)
    assert (answer.status_code, code(answer)) == (400, "malformed-header")
