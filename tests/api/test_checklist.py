"""The whole checklist of FAPI 2.0, positive and negative, over two workers and after a restart."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from dtsen.clock import Clock
from dtsen.keys import Keyring, Purpose
from dtsen.settings import Settings
from tests.auth.asker import Asker, Request, send
from tests.auth.checklist import GOOD, lines
from tests.auth.make import signed
from tests.faults.serving import Serving, serving

CLIENTS = {"ES256": "demo-ministry", "PS256": "demo-insurer", "Ed25519": "demo-app"}
ALGS = 'algs="ES256 PS256 Ed25519 EdDSA"'
DESCRIPTION = {chr(c) for c in range(0x20, 0x7F)} - {'"', "\\"}


class Forge:
    """Signs access tokens with the server's own key, of any header and claims."""

    def __init__(self, sandbox: Any, asker: Asker) -> None:
        self._key = Keyring(Settings(home=sandbox.home).key_directory).signing_key(
            Purpose.TOKENS, Clock().now()
        )
        self._asker = asker

    def __call__(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        now = int(Clock().now().timestamp())
        claims = {
            "iss": self._asker.issuer,
            "aud": self._asker.issuer,
            "jti": f"forged-{now}",
            "sub": "demo-app",
            "client_id": "demo-app",
            "iat": now,
            "exp": now + 300,
            "scope": "individuals:read",
            "cnf": {"jkt": self._asker.key.thumbprint()},
            **changes,
        }
        right = {"alg": "ES256", "typ": "at+jwt", "kid": self._key.kid, **(header or {})}
        return signed({k: v for k, v in right.items() if v is not None}, claims, self._key)


@pytest.fixture(scope="module")
def askers(sandbox) -> dict[str, Asker]:
    return {name: Asker(sandbox, client_id) for name, client_id in CLIENTS.items()}


@pytest.fixture(scope="module")
def server(sandbox) -> Iterator[Serving]:
    """A server of two workers that may be ended and started again."""
    with serving(sandbox) as one:
        yield one


def workers(server: Serving) -> Iterator[HTTPConnection]:
    """A connection to each."""
    for connection in server.connections(2):
        with closing(connection):
            yield connection


def judged(connection: HTTPConnection, number: int, tried: str, told: tuple[Request, int, str]):
    """Ask, and hold the answer against what must come; the answer."""
    request, status, error = told
    answer = send(connection, request)
    where = f"line {number}, {tried}: {answer.status} {answer.content[:300]!r}"
    assert answer.status == status, where
    if request.path.startswith("/oauth"):
        assert answer.headers["cache-control"] == "no-store", where
        assert answer.json.get("error", GOOD) == error, where
        assert set(answer.json.get("error_description", "")) <= DESCRIPTION, where
        if error == GOOD:
            assert answer.json["token_type"] == "DPoP"  # noqa: S105 - a type
            assert answer.json["expires_in"] <= 600
            assert "refresh_token" not in answer.json
    elif status in {401, 403}:
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith(f'DPoP error="{error}"'), where
        assert ALGS in challenge, where
        assert answer.headers["content-type"] == "application/problem+json"
    elif error:
        assert answer.json["type"].endswith(f"/problems/{error}"), where
    return answer


def test_every_line_in_every_worker_before_and_after_a_restart(sandbox, server, askers):
    forge, asker = Forge(sandbox, askers["Ed25519"]), askers["Ed25519"]
    used: list[Request] = []
    for restarted in (False, True):
        if restarted:
            server.end()
            server.start()
        for connection in workers(server):
            asked = set()
            for number, tried, *told in lines(askers, forge):
                judged(connection, number, tried, (told[0], told[1], told[2]))
                asked.add(number)
            assert asked == {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13}
            # Line 14: after all of these a right one still works.
            for right in (asker.asks(), asker.calls()):
                assert send(connection, right).status == 200
                used.append(right)
        # Lines 7 and 12: no replay, in whichever worker, before or after.
        for connection in workers(server):
            for again in used:
                error = "invalid_client" if again.method == "POST" else "invalid_dpop_proof"
                status = 400 if again.method == "POST" else 401
                judged(connection, 7, "replay", (again, status, error))
