"""Getting a token: what is granted, to whom, and what happens when it cannot be recorded."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from auth.clients import revoke_client
from auth.endpoint import USE_UP
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import Unavailable
from dtsen.keys import Keyring
from schemas.agreement_models import Binding
from tests.auth.make import (
    ISSUER,
    SCOPES,
    Server,
    assertion,
    refused,
    register,
    serving,
)


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "Ed25519", "EdDSA"])
def test_a_client_gets_a_token_with_each_algorithm(
    server: Server, database: DatabaseUrls, algorithm: str
) -> None:
    client = register(database, algorithm)
    answer = server.ask(assertion(client))
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert body["token_type"] == "Bearer"  # noqa: S105 - a type, no secret
    assert body["expires_in"] == 300
    assert body["scope"] == " ".join(sorted(SCOPES))
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}


def test_the_token_is_an_rfc_9068_token_that_the_published_keys_verify(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    before = int(time.time())
    text = server.ask(assertion(client)).json()["access_token"]
    keys = KeySet.import_key_set(server.http.get("/oauth/jwks").json())
    token = jwt.decode(text, keys, algorithms=["ES256"])
    claims = token.claims
    assert token.header == {"typ": "at+jwt", "alg": "ES256", "kid": "tokens-1"}
    assert (claims["iss"], claims["aud"]) == (ISSUER, ISSUER)
    assert (claims["sub"], claims["client_id"]) == (client.client_id, client.client_id)
    assert before <= claims["iat"] <= int(time.time())
    assert claims["exp"] == claims["iat"] + 300
    assert server.issues == [(client.client_id, claims["jti"], claims["scope"])]


def test_two_tokens_never_share_an_id(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    for _ in range(3):
        server.ask(assertion(client))
    assert len({jti for _, jti, _ in server.issues}) == 3


def test_a_revoked_or_expired_client_gets_nothing(server: Server, database: DatabaseUrls) -> None:
    revoked, expired = register(database), register(database)
    with psycopg.connect(database.owner) as connection:
        revoke_client(connection, revoked.client_id)
        connection.execute(
            "UPDATE auth.client SET expires_at = clock_timestamp() WHERE client_id = %s",
            (expired.client_id,),
        )
    for client in (revoked, expired):
        assert refused(server.ask(assertion(client)), "invalid_client")


def test_a_client_revoked_while_its_request_is_decided_gets_nothing(
    database: DatabaseUrls,
) -> None:
    client = register(database)
    with psycopg.connect(database.owner) as connection:
        revoke_client(connection, client.client_id)

    async def use_up() -> object:
        async with await open_pool(database.api, name="t", size=1) as pool:
            expires = datetime.now(UTC) + timedelta(seconds=60)
            return await pool.fetchval(USE_UP, client.client_id, b"jti", expires, datetime.now(UTC))

    assert asyncio.run(use_up()) is None


def test_scope_is_granted_whole_or_refused(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    asked = server.ask(assertion(client), scope="audit:read").json()
    assert asked["scope"] == "audit:read"
    narrower = server.ask(assertion(client), scope="individuals:read/welfare").json()
    assert narrower["scope"] == "individuals:read/welfare"
    assert server.ask(assertion(client), scope="").json()["scope"] == " ".join(sorted(SCOPES))
    for scope in ("families:read", "audit:read families:read", "unknown", " ", "audit:read ", "é"):
        assert refused(server.ask(assertion(client), scope=scope), "invalid_scope"), scope
    assert server.refusals[-1] == (client.client_id, "invalid_scope")


def test_a_group_does_not_open_the_whole_operation(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    server.agreements.scopes = frozenset({"individuals:read/welfare"})
    assert server.ask(assertion(client)).json()["scope"] == "individuals:read/welfare"
    for scope in ("individuals:read", "individuals:read/health"):
        assert refused(server.ask(assertion(client), scope=scope), "invalid_scope")


def test_no_agreement_gives_a_token_for_open_calls_and_none_gives_no_token(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    server.agreements.scopes = frozenset()
    assert server.ask(assertion(client)).json()["scope"] == ""
    assert refused(server.ask(assertion(client), scope="audit:read"), "invalid_scope")
    server.agreements.scopes = None
    assert refused(server.ask(assertion(client)), "unauthorized_client")


@pytest.mark.parametrize(
    ("binding", "error"), [("dpop", "invalid_dpop_proof"), ("mtls", "invalid_request")]
)
def test_a_client_whose_tokens_are_bound_gets_no_bearer_token(
    server: Server, database: DatabaseUrls, binding: Binding, error: str
) -> None:
    """By its own registration, or by its agreement whatever it registered."""
    assert refused(server.ask(assertion(register(database, binding=binding))), error)
    server.agreements.binding = binding
    assert refused(server.ask(assertion(register(database))), error)


def test_an_exception_ends_with_its_day_and_so_do_its_tokens(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    server.agreements.binding = "dpop"
    server.agreements.excepted = frozenset({client.client_id})
    server.agreements.until = datetime.now(UTC) + timedelta(seconds=100)
    body = server.ask(assertion(client)).json()
    assert 95 <= body["expires_in"] <= 100


def test_a_client_that_ends_soon_has_no_token_beyond_its_end(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database, expires_at=datetime.now(UTC) + timedelta(seconds=100))
    assert 90 < server.ask(assertion(client)).json()["expires_in"] <= 100


def test_production_gives_bearer_tokens_by_exception_alone(
    database: DatabaseUrls, keys: Keyring
) -> None:
    plain, excepted = register(database), register(database)
    with serving(database.api, keys, profile="production") as server:
        server.agreements.excepted = frozenset({excepted.client_id})
        assert refused(server.ask(assertion(plain)), "unauthorized_client")
        assert server.ask(assertion(excepted)).status_code == 200


def test_a_refusal_is_told_with_its_cause(server: Server) -> None:
    server.ask("garbage")
    assert server.refusals == [("127.0.0.1", "invalid_client")]


@pytest.mark.parametrize("problem", [Unavailable(), asyncpg.PostgresError("gone"), OSError("x")])
def test_no_token_leaves_when_its_record_cannot_be_written(
    server: Server, database: DatabaseUrls, problem: Exception
) -> None:
    client = register(database)
    server.problems.append(problem)
    answer = server.ask(assertion(client))
    assert refused(answer, "temporarily_unavailable", 503)
    assert answer.headers["retry-after"] == "1"
    assert server.issues == []


def test_a_refusal_that_cannot_be_told_is_503(server: Server) -> None:
    server.problems.append(Unavailable())
    assert refused(server.ask("garbage"), "temporarily_unavailable", 503)
    assert refused(server.ask("garbage"), "invalid_client")


def test_no_key_to_sign_with_is_503_and_no_fault_of_the_caller(
    database: DatabaseUrls, tmp_path: Path
) -> None:
    with serving(database.api, Keyring(tmp_path / "keys")) as server:
        answer = server.ask(assertion(register(database)))
        assert refused(answer, "temporarily_unavailable", 503)
        assert server.http.get("/oauth/jwks").status_code == 503


def test_no_database_is_503_and_never_500(database: DatabaseUrls, keys: Keyring) -> None:
    client = register(database)
    with serving(database.api, keys) as server:
        assert server.ask(assertion(client)).status_code == 200
        with psycopg.connect(database.owner, autocommit=True) as connection:
            connection.execute("ALTER TABLE auth.client RENAME TO away")
            try:
                answer = server.ask(assertion(client))
            finally:
                connection.execute("ALTER TABLE auth.away RENAME TO client")
        assert refused(answer, "temporarily_unavailable", 503)
        assert server.refusals == [("127.0.0.1", "unavailable")]
        assert server.ask(assertion(client)).status_code == 200
