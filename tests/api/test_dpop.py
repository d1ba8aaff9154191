"""A token bound to a key is its holder's alone, over two workers: RFC 9449 7 against the server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from joserfc.jwk import JWKRegistry

from dtsen.releases.synth.example import EXAMPLE_NIKS
from tests.auth.make import new_key
from tests.auth.prove import at, proof

LOOKUP = "/v1/individuals/lookup"
CLIENT = "demo-app"
ALGS = 'algs="ES256 PS256 Ed25519 EdDSA"'
REPLAYED = f'DPoP error="invalid_dpop_proof", {ALGS}'
OTHER = new_key("ES256")
Headers = list[tuple[str, str]]


@pytest.fixture(scope="module")
def key(sandbox):
    return JWKRegistry.import_key(sandbox.client(CLIENT)["dpop_private_jwk"])


def right(sandbox, own, path=LOOKUP, method="POST", **changes) -> str:
    url = sandbox.client(CLIENT)["issuer"] + path
    return proof(
        **{"key": own, "token": sandbox.token(CLIENT), "method": method, "url": url} | changes
    )


def look(sandbox, *proofs: str, scheme="DPoP", token=None, path=LOOKUP) -> httpx2.Response:
    shown: Headers = [("Authorization", f"{scheme} {token or sandbox.token(CLIENT)}")]
    shown += [("DPoP", one) for one in proofs]
    return sandbox.http.post(path, json={"nik": EXAMPLE_NIKS[0]}, headers=shown)


def marks(sandbox) -> int:
    with sandbox.owner() as connection:
        query = "SELECT count(*) FROM disclosure.used_proof WHERE (kind, holder) = ('dpop', %s)"
        return connection.execute(query, (CLIENT,)).fetchone()[0]


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_a_right_proof_opens_what_the_token_opens(sandbox, key, scheme):
    sandbox.token(CLIENT)
    before = marks(sandbox)
    assert look(sandbox, right(sandbox, key), scheme=scheme).status_code == 200
    assert marks(sandbox) == before + 1


def test_a_record_says_how_the_token_was_shown(sandbox, key):
    answer = look(sandbox, right(sandbox, key))
    record_id = answer.headers["dtsen-access-record"][1:37]
    record = sandbox.call("GET", f"/v1/audit/records/{record_id}", as_client=CLIENT).json()
    assert record["auth"]["method"] == "dpop"
    assert record["auth"]["key"] == key.thumbprint()


BAD: dict[str, list[Any]] = {
    "no proof": [],
    "two proofs": [{}, {}],
    "another key": [{"key": OTHER}],
    "another's key in a right header": [
        {"key": OTHER, "header": {"jwk": OTHER.as_dict(private=False)}}
    ],
    "of another token": [{"token": "other"}],
    "without ath": [{"ath": None}],
    "of another method": [{"method": "GET"}],
    "of another path": [{"path": "/v1/releases"}],
    "of another host": [{"url": f"https://elsewhere.example{LOOKUP}"}],
    "an hour old": [{"iat": at(-3600)}],
    "an hour ahead": [{"iat": at(3600)}],
    "unsigned": [{"header": {"alg": "none"}}],
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_proof_is_401_and_uses_nothing_up(sandbox, key, case):
    before = marks(sandbox)
    answer = look(sandbox, *(right(sandbox, key, **changes) for changes in BAD[case]))
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == REPLAYED
    assert answer.json()["type"].endswith("/problems/invalid-dpop-proof")
    assert "dtsen-access-record" not in answer.headers
    assert marks(sandbox) == before
    assert look(sandbox, right(sandbox, key)).status_code == 200


def test_a_bound_token_is_no_bearer_token_and_the_other_way_round(sandbox, key):
    for proofs in ((), (right(sandbox, key),)):
        downgraded = look(sandbox, *proofs, scheme="Bearer")
        assert downgraded.status_code == 401
        challenge = f'DPoP error="invalid_token", {ALGS}'
        assert downgraded.headers["www-authenticate"] == challenge
    plain = sandbox.token("demo-explorer")
    upgraded = look(sandbox, right(sandbox, key, token=plain), token=plain)
    assert upgraded.status_code == 401
    assert upgraded.headers["www-authenticate"] == f'DPoP error="invalid_token", {ALGS}'
    assert sandbox.call("GET", "/v1/releases").status_code == 200


def test_a_proof_serves_once_whichever_worker_is_asked(sandbox, key):
    shown = right(sandbox, key)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: fresh_look(sandbox, shown), range(24)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 23}
    refused = next(answer for answer in answers if answer.status_code == 401)
    assert refused.headers["www-authenticate"] == REPLAYED


def fresh_look(sandbox, shown):
    """On a connection of its own, so that the system chooses the worker."""
    with httpx2.Client(base_url=sandbox.http.base_url, timeout=30) as http:
        headers = {"Authorization": f"DPoP {sandbox.token(CLIENT)}", "DPoP": shown}
        return http.post(LOOKUP, json={"nik": EXAMPLE_NIKS[0]}, headers=headers)


REFUSED = {
    "403": ("/v1/families/lookup", {"nomor_kartu_keluarga": "3301999901010001"}),
    "422": (LOOKUP, {"nik": "1"}),
    "404": (LOOKUP, {"nik": "9999999901010001"}),
}


def test_a_recorded_refusal_uses_its_proof_up_too(sandbox, key):
    token = sandbox.token(CLIENT)
    for path, body in REFUSED.values():
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": right(sandbox, key, path=path),
        }
        first, second = (sandbox.http.post(path, json=body, headers=headers) for _ in range(2))
        assert first.status_code in {403, 404, 422}
        assert "dtsen-access-record" in first.headers
        assert second.status_code == 401, path


def test_a_missing_scope_is_told_in_the_scheme_of_the_token(sandbox, key):
    path, body = REFUSED["403"]
    headers = {
        "Authorization": f"DPoP {sandbox.token(CLIENT)}",
        "DPoP": right(sandbox, key, path=path),
    }
    answer = sandbox.http.post(path, json=body, headers=headers)
    told = answer.headers["www-authenticate"]
    assert told == f'DPoP error="insufficient_scope", scope="families:read", {ALGS}'


def test_query_and_percent_encoding_do_not_disturb(sandbox, key):
    for path in ("/v1/audit/records/a%2Cb", "/v1/audit/records/a%2cb", "/v1/releases?x=1"):
        headers = {
            "Authorization": f"DPoP {sandbox.token(CLIENT)}",
            "DPoP": right(sandbox, key, path=path, method="GET"),
        }
        assert sandbox.http.get(path, headers=headers).status_code in {200, 404}, path


HOSTILE = (
    b"",
    b"\xff\xfe.\xfd.\xfc",
    b"a.b.c",
    b"." * 200,
    b"ey" * 6_000,
    b"eyJhbGciOiJub25lIn0..",
    b"e30.e30.",
    b"bnVsbA.bnVsbA.bnVsbA",
    b"a,b",
)


def test_hostile_proofs_are_401_and_harm_nobody(sandbox, key):
    shown = b"DPoP " + sandbox.token(CLIENT).encode()
    for proof_text in HOSTILE:
        headers = [(b"authorization", shown), (b"dpop", proof_text)]
        answer = sandbox.http.get("/v1/releases", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, REPLAYED)
    assert look(sandbox, right(sandbox, key)).status_code == 200
    assert "Traceback" not in sandbox.log.read_text()
