"""No request makes the token endpoint fail: each is refused by name, then a right one works."""

import json
import logging
import secrets
import socket
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from dtsen.database import DatabaseUrls
from tests.auth.make import (
    FORM,
    Client,
    Server,
    assertion,
    claims_of,
    refused,
    register,
    segment,
    signed,
)

ODD_HEADERS: list[dict[str, Any]] = [
    {"alg": "é"},
    {"alg": '"'},
    {"alg": "\\"},
    {"alg": "\x00"},
    {"alg": ["ES256"]},
    {"alg": {"a": 1}},
    {"alg": None},
    {"kid": "é"},
    {"kid": '"'},
    {"kid": 5},
    {"kid": ["key-1"]},
    {"kid": "\ud800"},
    {"crit": ["b64"], "b64": False},
    {"crit": [["x"]]},
    {"crit": "exp"},
    {"crit": ["é"]},
    {"b64": False},
    {"jku": "é"},
    {"jku": 1},
    {"x5c": 7},
    {"jwk": "no"},
    {"x5t": 1},
    {"typ": 3},
    {"cty": []},
]

HEADER = b'{"alg": "ES256", "kid": "key-1"}'
FIXTURES = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def client(database: DatabaseUrls) -> Client:
    return register(database)


def jwt_of(header: bytes, claims: bytes) -> str:
    return f"{segment(header)}.{segment(claims)}.x"


def works(server: Server, client: Client) -> bool:
    return server.ask(assertion(client)).status_code == 200


@pytest.mark.parametrize("header", ODD_HEADERS, ids=json.dumps)
def test_odd_assertion_headers_are_refused(
    server: Server, client: Client, header: dict[str, Any]
) -> None:
    assert refused(server.ask(assertion(client, header=header)), "invalid_client")
    assert works(server, client)


@pytest.mark.parametrize("name", ["é", '"', "x" * 200, "alg ", "\\", "", "\x00"])
def test_header_members_that_are_not_understood_are_ignored(
    server: Server, client: Client, name: str
) -> None:
    assert server.ask(assertion(client, header={name: "é"})).status_code == 200


def test_a_header_may_be_long_up_to_a_limit(server: Server, client: Client) -> None:
    assert server.ask(assertion(client, header={"x": "y" * 2000})).status_code == 200
    assert refused(server.ask(assertion(client, header={"x": "y" * 4000})), "invalid_client")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\x00",
        jwt_of(b"[]", b"{}"),
        jwt_of(b"null", b"null"),
        jwt_of(b"[" * 3000, b"{}"),
        jwt_of(HEADER, b"[" * 5000),
        jwt_of(HEADER, b'{"sub": ' + b"9" * 5000 + b"}"),
        jwt_of(HEADER, b'{"sub": "\xff"}'),
        jwt_of(HEADER, b'"text"'),
        jwt_of(b"{}", b'{"sub": "a"}'),
        "=" * 100,
    ],
)
def test_what_is_no_assertion_is_refused(server: Server, client: Client, text: str) -> None:
    assert refused(server.ask(text), "invalid_client")
    assert works(server, client)


@pytest.mark.parametrize(
    "subject", ["\x00", "é", "", "a b", "x" * 65, "../x", "\ud800", {"a": 1}, ["a"], 1, True, None]
)
def test_subjects_that_are_no_client_id_never_reach_the_database(
    server: Server, client: Client, subject: Any
) -> None:
    claims = {**claims_of(client), "sub": subject, "iss": subject}
    header = {"alg": "ES256", "kid": "key-1"}
    assert refused(server.ask(signed(header, claims, client.key)), "invalid_client")


def test_a_lone_surrogate_in_a_jti_is_a_jti_like_any(server: Server, client: Client) -> None:
    text = assertion(client, jti=f"\ud800{secrets.token_hex(8)}")
    assert server.ask(text).status_code == 200
    assert refused(server.ask(text), "invalid_client")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"grant_type=%ff%fe",
        b"grant_type",
        b"&&&",
        b"=",
        b"grant_type=client_credentials&" + b"&".join(b"p%d=1" % n for n in range(40)),
        b"grant_type=" + "é".encode(),
        b"grant_type=%00",
        b"grant_type=client_credentials;scope=a",
    ],
)
def test_odd_bodies_are_refused(server: Server, client: Client, body: bytes) -> None:
    answer = server.http.post("/oauth/token", content=body, headers=FORM)
    assert answer.status_code == 400
    assert refused(answer, answer.json()["error"])
    assert works(server, client)


def test_a_body_that_ends_early_harms_nobody(server: Server, client: Client) -> None:
    url = server.http.base_url
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type="
        )
    assert works(server, client)


def test_a_chunked_body_is_limited_too(server: Server) -> None:
    def parts() -> Any:
        for _ in range(40):
            yield b"a" * 1024

    answer = server.http.post("/oauth/token", content=parts(), headers=FORM)
    assert refused(answer, "invalid_request", 413)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@FIXTURES
@given(header=st.dictionaries(st.text(max_size=10), json_values, max_size=5), signs=st.booleans())
def test_no_header_at_all_makes_a_500(
    server: Server, client: Client, header: dict[str, Any], *, signs: bool
) -> None:
    right = {"alg": "ES256", "kid": "key-1"} if signs else {}
    answer = server.ask(signed({**right, **header}, claims_of(client), client.key))
    assert answer.status_code in {200, 400, 413}


@FIXTURES
@given(claims=st.dictionaries(st.sampled_from(["exp", "iat", "nbf", "jti", "aud"]), json_values))
def test_no_claims_at_all_make_a_500(
    server: Server, client: Client, claims: dict[str, Any]
) -> None:
    text = signed({"alg": "ES256", "kid": "key-1"}, {**claims_of(client), **claims}, client.key)
    assert server.ask(text).status_code in {200, 400, 413}


@FIXTURES
@given(body=st.binary(max_size=300))
def test_no_body_at_all_makes_a_500(server: Server, body: bytes) -> None:
    answer = server.http.post("/oauth/token", content=body, headers=FORM)
    assert refused(answer, answer.json()["error"])


def test_nothing_that_was_sent_comes_back_or_is_logged(
    server: Server, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    marker = "Zz9marker"
    answers = [
        server.ask(assertion(client), scope=marker),
        server.ask(assertion(client, header={"kid": marker})),
        server.ask(assertion(client, aud=marker)),
        server.http.post("/oauth/token", content=f"grant_type={marker}", headers=FORM),
        server.http.post(f"/oauth/{quote(marker)}"),
    ]
    assert all(isinstance(answer, httpx2.Response) for answer in answers)
    assert not any(marker in answer.text for answer in answers)
    token = server.ask(assertion(client)).json()["access_token"]
    # The client's own logs, and the access log of uvicorn, which `dtsen serve` switches off.
    others = ("http", "uvicorn.access")
    ours = [record for record in caplog.records if not record.name.startswith(others)]
    told = [f"{record.name} {record.getMessage()} {record.exc_text}" for record in ours]
    assert [line for line in told if marker in line or token in line] == []
