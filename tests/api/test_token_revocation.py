"""A revoked token ends at once in every worker, and revoking costs nobody else anything."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from dtsen.client.showing import call
from dtsen.client.tokens import authenticated, fetch_token
from tests.faults.processes import until
from tests.parties import agency

ROUNDS_A_SECOND = 4


@pytest.fixture(scope="module")
def client(sandbox):
    with agency(sandbox) as name:
        yield sandbox.client(name)


def inspect(sandbox, client, path, token):
    return sandbox.http.post(path, data=authenticated(client, token=token))


def statuses(sandbox, client, token, times=12):
    """Of calls on connections of their own, so that each worker is among the asked."""
    found = set()
    for _ in range(times):
        with httpx2.Client(base_url=sandbox.http.base_url) as http:
            found.add(call(client, token, "GET", "/v1/releases", http=http).status_code)
    return found


@pytest.mark.parametrize("client_id", ["demo-ministry", "demo-explorer"])
def test_a_revoked_token_is_refused_by_every_worker_and_others_are_not(sandbox, client_id):
    client = sandbox.client(client_id)
    ended, kept = (fetch_token(client, http=sandbox.http) for _ in range(2))
    assert statuses(sandbox, client, ended) == {200}
    assert inspect(sandbox, client, "/oauth/introspect", ended).json()["active"]
    began = time.monotonic()
    assert inspect(sandbox, client, "/oauth/revoke", ended).status_code == 200
    assert statuses(sandbox, client, ended) == {401}
    assert time.monotonic() - began < 1 + 12 * 0.2
    assert statuses(sandbox, client, kept) == {200}
    assert inspect(sandbox, client, "/oauth/introspect", kept).json()["active"]
    answer = call(client, ended, "GET", "/v1/releases", http=sandbox.http)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    # A worker's introspection follows authority, which it reads four times a second, unasked.
    until(
        lambda: (
            [inspect(sandbox, client, "/oauth/introspect", ended).json() for _ in range(6)]
            == [{"active": False}] * 6
        ),
        seconds=1,
        what="the end of a token in every worker",
    )


def test_a_revocation_is_in_the_log(sandbox):
    client = sandbox.client("demo-explorer")
    token = fetch_token(client, http=sandbox.http)
    assert inspect(sandbox, client, "/oauth/revoke", token).status_code == 200
    with sandbox.owner() as connection:
        query = "SELECT client, outcome FROM audit.record WHERE op = 'oauth.revoke'"
        assert (client["client_id"], "revoked") in connection.execute(query).fetchall()


def test_many_revocations_are_few_rounds(sandbox, client):
    """Thirty at once, over two workers: no more than four changes of authority a second."""
    tokens = [fetch_token(client, http=sandbox.http) for _ in range(30)]
    with sandbox.owner() as connection:
        epoch = "SELECT last_value FROM disclosure.epoch"
        (before,) = connection.execute(epoch).fetchone()
        began = time.monotonic()
        with ThreadPoolExecutor(10) as threads:
            told = threads.map(
                lambda token: inspect(sandbox, client, "/oauth/revoke", token).status_code, tokens
            )
            assert set(told) == {200}
        seconds = time.monotonic() - began
        (after,) = connection.execute(epoch).fetchone()
        waiting = "SELECT count(*) FROM disclosure.revoked_token WHERE epoch IS NULL"
        assert connection.execute(waiting).fetchone() == (0,)
    assert 1 <= after - before <= ROUNDS_A_SECOND * seconds + 2
    assert {code for token in tokens[::10] for code in statuses(sandbox, client, token, 4)} == {401}
