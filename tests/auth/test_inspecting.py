"""Introspection (RFC 7662) and revocation (RFC 7009): one's own tokens, and nobody else's."""

import json
from typing import Any

import httpx2
import pytest

from dtsen.database import DatabaseUrls
from tests.auth.make import (
    FORM,
    ISSUER,
    SCOPES,
    Client,
    Server,
    assertion,
    form,
    refused,
    register,
)
from tests.auth.prove import KEYS, proof

BOTH = ("/oauth/introspect", "/oauth/revoke")


@pytest.fixture
def client(database: DatabaseUrls) -> Client:
    return register(database)


def ask(server: Server, path: str, client: Client, token: str, **more: str) -> httpx2.Response:
    fields = form(assertion(client), token=token, **more)
    del fields["grant_type"]
    return server.http.post(path, data=fields)


def token_of(server: Server, client: Client, **how: Any) -> str:
    answer = server.http.post("/oauth/token", data=form(assertion(client)), **how)
    return str(answer.json()["access_token"])


def test_a_client_sees_its_own_token(server: Server, client: Client) -> None:
    answer = ask(server, BOTH[0], client, token_of(server, client), token_type_hint="nonsense")  # noqa: S106
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    jti, exp = told.pop("jti"), told.pop("exp")
    assert jti == server.issues[-1][1]
    assert isinstance(exp, int)
    assert told == {
        "active": True,
        "client_id": client.client_id,
        "sub": client.client_id,
        "iss": ISSUER,
        "aud": ISSUER,
        "scope": " ".join(sorted(SCOPES)),
        "token_type": "Bearer",
    }


def test_what_a_token_is_bound_to_is_told(server: Server, client: Client) -> None:
    bound = token_of(server, client, headers={"DPoP": proof()})
    told = ask(server, BOTH[0], client, bound).json()
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": KEYS["ES256"].thumbprint()})


@pytest.mark.parametrize("case", ["another's", "no token", "altered", "not in force"])
def test_nothing_is_told_of_any_other(
    server: Server, client: Client, database: DatabaseUrls, case: str
) -> None:
    own = token_of(server, client)
    shown = {
        "another's": token_of(server, register(database)),
        "no token": "é" * 2_000,
        "altered": own[:-4] + "AAAA",
        "not in force": own,
    }[case]
    if case == "not in force":
        server.agreements.ended = frozenset({client.client_id})
    assert ask(server, BOTH[0], client, shown).json() == {"active": False}
    answer = ask(server, BOTH[1], client, shown)
    assert (answer.status_code, answer.content) == (200, b"")
    assert server.revoked == []


def test_a_client_revokes_its_own_token_as_often_as_it_likes(
    server: Server, client: Client
) -> None:
    own = token_of(server, client)
    for _ in range(3):
        assert ask(server, BOTH[1], client, own).status_code == 200
    assert server.revoked == [server.issues[-1][1]] * 3


@pytest.mark.parametrize("path", BOTH)
def test_both_authenticate_as_the_token_endpoint_does(
    server: Server, client: Client, database: DatabaseUrls, path: str
) -> None:
    own = token_of(server, client)
    said = assertion(client)
    fields = {**form(said, token=own)}
    assert server.http.post(path, data=fields).status_code == 200
    assert refused(server.http.post(path, data=fields), "invalid_client")
    assert refused(server.http.post(path, data={"token": own}), "invalid_client")
    assert refused(server.http.post(path, data=form(assertion(client))), "invalid_request")
    forged = Client(client.client_id, register(database).key)
    assert refused(ask(server, path, forged, own), "invalid_client")
    headers = {"Authorization": f"Bearer {own}"}
    assert refused(server.http.post(path, data=fields, headers=headers), "invalid_client", 401)
    assert refused(server.http.post(f"{path}?token={own}", data=fields), "invalid_request")
    assert refused(server.http.get(path), "invalid_request", 405)
    in_json = server.http.post(path, json={"token": own})
    assert refused(in_json, "invalid_request", 415)


HOSTILE = (
    b"", b"token", b"token=", b"token=a&token=b", b"\xff", b"token=%00", b"token=" + b"a" * 20_000,
    b"client_id=%00&token=a", b"client_id=" + b"a" * 100 + b"&token=a", b"token=a&client_id=none",
    b"client_assertion=a.b.c&token=a", b"token=" + json.dumps([1]).encode(),
)  # fmt: skip


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_input_is_refused_and_harms_nobody(
    server: Server, client: Client, path: str, body: bytes
) -> None:
    answer = server.http.post(path, content=body, headers=FORM)
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) <= {"error", "error_description"}
    assert ask(server, path, client, token_of(server, client)).status_code == 200
