"""Region codes over HTTP: query parameters, read as strictly as a body."""

import pytest

PATH = "/v1/wilayah"


def test_a_bare_code_is_told_as_ambiguous(sandbox):
    told = sandbox.call("GET", f"{PATH}?code=91", as_client="demo-app").json()
    assert told["ambiguous"]
    assert {one["name"] for one in told["regions"]} == {"Papua", "Papua Barat"}
    assert not sandbox.call("GET", f"{PATH}?code=91&system=bps").json()["ambiguous"]


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("system=%C2%A6", "/system", "malformed"),
        ("within=d", "/within", "malformed"),
        ("code=33&code=34", "/code", "repeated"),
        ("nik=1", "", "unknown-parameter"),
        ("%FF=%FE", "", "unknown-parameter"),
    ],
)
def test_another_query_is_refused_and_nothing_of_it_repeated(sandbox, query, pointer, code):
    response = sandbox.call("GET", f"{PATH}?{query}")
    assert response.status_code == 422
    assert response.json()["errors"] == [{"pointer": pointer, "code": code}]


def test_a_token_in_the_query_is_still_refused(sandbox):
    assert sandbox.call("GET", f"{PATH}?access_token=%C2%A6").status_code == 400
