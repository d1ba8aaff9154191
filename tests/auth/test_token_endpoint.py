"""Getting a token: the checklist of FAPI 2.0 for client credentials, positive and negative."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from auth.clients import revoke_client
from auth.limits import AgencyLimiter, TokenLimits
from auth.routes import USE_UP
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.errors import Unavailable
from dtsen.keys import Keyring
from tests.auth.make import (
    ISSUER,
    ROOMY,
    SCOPES,
    Client,
    Server,
    assertion,
    claims_of,
    form,
    new_key,
    register,
    segment,
    serving,
    signed,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def refused(answer: Any, error: str, status: int = 400) -> bool:
    """Whether an answer is this refusal, in the form and character set of RFC 6749 5.2."""
    body = answer.json()
    described = body.get("error_description", "")
    return (
        answer.status_code == status
        and body["error"] == error
        and set(body) <= {"error", "error_description"}
        and all(" " <= c <= "~" and c not in '"\\' for c in described)
        and answer.headers["content-type"] == "application/json"
        and answer.headers["cache-control"] == "no-store"
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


@pytest.mark.parametrize(("registered", "used"), [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")])
def test_ed25519_and_eddsa_are_one_algorithm(
    server: Server, database: DatabaseUrls, registered: str, used: str
) -> None:
    client = register(database, registered)
    assert server.ask(assertion(client, header={"alg": used})).status_code == 200


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


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": f"{ISSUER}/"},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"iss": None},
        {"iss": "someone-else"},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 513},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": -1},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"iat": "now"},
        {"iat": True},
        {"nbf": [1]},
    ],
)
def test_claims_that_break_a_rule_are_refused(
    server: Server, database: DatabaseUrls, changes: dict[str, Any]
) -> None:
    client = register(database)
    assert refused(server.ask(assertion(client, **changes)), "invalid_client")
    assert server.ask(assertion(client)).status_code == 200


@pytest.mark.parametrize(
    ("claim", "seconds", "accepted"),
    [
        ("exp", -300, False),
        ("exp", 590, True),
        ("exp", 620, False),
        ("exp", 86_400, False),
        ("iat", 8, True),
        ("iat", 50, True),
        ("iat", 90, False),
        ("iat", -3600, True),
        ("nbf", 8, True),
        ("nbf", 90, False),
    ],
)
def test_times_are_held_against_the_clock(
    server: Server, database: DatabaseUrls, claim: str, seconds: int, *, accepted: bool
) -> None:
    client = register(database)
    answer = server.ask(assertion(client, **{claim: time.time() + seconds}))
    assert answer.status_code == (200 if accepted else 400)


def test_times_are_held_against_the_databases_clock_not_the_workers(
    database: DatabaseUrls, keys: Keyring
) -> None:
    client = register(database)
    clock = Clock()
    clock.follow(datetime.fromtimestamp(time.time() + 3600, UTC))
    with serving(database.api, keys, clock=clock) as server:
        assert refused(server.ask(assertion(client)), "invalid_client")


def test_algorithms_out_of_profile_are_refused(server: Server, database: DatabaseUrls) -> None:
    rsa = register(database, "PS256")
    texts = [
        signed({"alg": "RS256", "kid": "key-1"}, claims_of(rsa), rsa.key, algorithm="RS256"),
        signed({"alg": "PS384", "kid": "key-1"}, claims_of(rsa), rsa.key, algorithm="PS384"),
        f"{segment({'alg': 'none'})}.{segment(claims_of(rsa))}.",
        f"{segment({'alg': 'HS256'})}.{segment(claims_of(rsa))}.{segment(b'mac')}",
    ]
    assert all(refused(server.ask(text), "invalid_client") for text in texts)
    assert server.ask(assertion(rsa)).status_code == 200


def test_a_signature_by_another_key_is_refused(server: Server, database: DatabaseUrls) -> None:
    first, second = register(database), register(database)
    stolen = Client(first.client_id, second.key)
    unknown = Client("nobody-knows-me", second.key)
    answers = [server.ask(assertion(stolen)), server.ask(assertion(unknown))]
    assert all(refused(answer, "invalid_client") for answer in answers)
    assert answers[0].json() == answers[1].json(), "an id could be probed"
    cut = assertion(first)[:-4] + "AAAA"
    assert refused(server.ask(cut), "invalid_client")


def test_another_client_id_beside_the_assertion_is_refused(
    server: Server, database: DatabaseUrls
) -> None:
    first, second = register(database), register(database)
    assert refused(server.ask(assertion(first), client_id=second.client_id), "invalid_client")
    assert server.ask(assertion(first), client_id=first.client_id).status_code == 200


def test_keys_that_share_a_kid_are_told_apart_by_their_algorithm(
    server: Server, database: DatabaseUrls
) -> None:
    keys = [new_key("ES256"), new_key("PS256"), new_key("Ed25519")]
    client = register(database, keys=keys)
    for key in keys:
        assert server.ask(assertion(Client(client.client_id, key))).status_code == 200


def test_a_kid_that_is_not_registered_is_refused_and_none_is_needed(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    assert refused(server.ask(assertion(client, header={"kid": "other"})), "invalid_client")
    bare = signed({"alg": "ES256"}, claims_of(client), client.key)
    assert server.ask(bare).status_code == 200


def test_an_assertion_serves_once(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    text = assertion(client)
    assert server.ask(text).status_code == 200
    assert refused(server.ask(text), "invalid_client")
    assert refused(server.ask(assertion(client, jti="same")), "x") is False
    assert refused(server.ask(assertion(client, jti="same")), "invalid_client")


def test_an_assertion_serves_once_in_another_worker_and_after_a_restart(
    server: Server, database: DatabaseUrls, keys: Keyring
) -> None:
    client = register(database)
    text = assertion(client)
    assert server.ask(text).status_code == 200
    with serving(database.api, keys) as other:
        assert refused(other.ask(text), "invalid_client")
        second = assertion(client)
        assert other.ask(second).status_code == 200
    with serving(database.api, keys) as restarted:
        assert refused(restarted.ask(second), "invalid_client")


def test_two_clients_may_use_the_same_jti(server: Server, database: DatabaseUrls) -> None:
    for client in (register(database), register(database)):
        assert server.ask(assertion(client, jti="1")).status_code == 200


def test_a_mark_outlives_every_moment_at_which_its_assertion_could_serve(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    expires = time.time() + 500
    server.ask(assertion(client, exp=expires))
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "SELECT kind, extract(epoch FROM expires) FROM disclosure.used_proof WHERE holder = %s",
            (client.client_id,),
        ).fetchone()
    assert row is not None
    assert row[0] == "assertion"
    assert float(row[1]) > expires + 10


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
            return await pool.fetchval(USE_UP, client.client_id, b"jti", expires)

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


@pytest.mark.parametrize("binding", ["dpop", "mtls"])
def test_a_client_whose_tokens_are_bound_gets_no_bearer_token(
    server: Server, database: DatabaseUrls, binding: str
) -> None:
    client = register(database, binding=binding)
    assert refused(server.ask(assertion(client)), "unauthorized_client")


def test_production_gives_bearer_tokens_by_exception_alone(
    database: DatabaseUrls, keys: Keyring
) -> None:
    plain, excepted = register(database), register(database)
    with serving(database.api, keys, profile="production") as server:
        server.agreements.excepted = frozenset({excepted.client_id})
        assert refused(server.ask(assertion(plain)), "unauthorized_client")
        assert server.ask(assertion(excepted)).status_code == 200


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "implicit"])
def test_no_other_grant_is_served(server: Server, database: DatabaseUrls, grant: str) -> None:
    client = register(database)
    fields = {**form(assertion(client)), "grant_type": grant, "username": "a", "password": "b"}
    assert refused(server.http.post("/oauth/token", data=fields), "unsupported_grant_type")


def test_a_request_without_an_assertion_is_refused(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    assert refused(server.ask(None), "invalid_client")
    assert refused(server.ask(None, client_id=client.client_id), "invalid_client")
    untyped = {**form(assertion(client)), "client_assertion_type": "urn:example:other"}
    assert refused(server.http.post("/oauth/token", data=untyped), "invalid_client")


def test_a_second_way_to_authenticate_is_refused(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    with_secret = server.ask(assertion(client), client_secret="s")  # noqa: S106 - refused
    assert refused(with_secret, "invalid_request")
    basic = server.http.post("/oauth/token", data=form(assertion(client)), auth=("a", "b"))
    assert refused(basic, "invalid_client", 401)
    assert basic.headers["www-authenticate"].startswith("Basic ")


def test_requests_of_another_shape_are_refused_as_rfc_6749_says(server: Server) -> None:
    http = server.http
    assert refused(http.post("/oauth/token?scope=a", data=form("a.b.c")), "invalid_request")
    twice = "grant_type=client_credentials&scope=audit%3Aread&scope=audit%3Aread"
    assert refused(http.post("/oauth/token", content=twice, headers=FORM), "invalid_request")
    assert refused(http.post("/oauth/token", content="", headers=FORM), "invalid_request")
    assert refused(http.post("/oauth/token", json=form("a.b.c")), "invalid_request", 415)
    assert refused(http.post("/oauth/token", content=b"a=b"), "invalid_request", 415)
    coded = {**FORM, "Content-Encoding": "gzip"}
    assert refused(http.post("/oauth/token", content=b"a=b", headers=coded), "invalid_request", 415)
    large = http.post("/oauth/token", data=form("a" * 20_000))
    assert refused(large, "invalid_request", 413)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND"])
def test_another_method_is_405_with_allow(server: Server, method: str) -> None:
    answer = server.http.request(method, "/oauth/token")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["cache-control"] == "no-store"
    if method != "HEAD":
        assert refused(answer, "invalid_request", 405)


def test_an_unknown_path_under_oauth_is_404_in_the_same_form(server: Server) -> None:
    assert refused(server.http.post("/oauth/authorize"), "invalid_request", 404)
    assert refused(server.http.post("/oauth/jwks"), "invalid_request", 405)


def test_an_address_is_limited_before_anybody_is_authenticated(
    database: DatabaseUrls, keys: Keyring
) -> None:
    limits = TokenLimits(AgencyLimiter(), per_address="3/minute", per_client=ROOMY)
    with serving(database.api, keys, limits=limits) as server:
        client = register(database)
        for _ in range(3):
            assert refused(server.ask("garbage"), "invalid_client")
        answer = server.ask(assertion(client))
        assert refused(answer, "temporarily_unavailable", 429)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert server.refusals[-1] == ("127.0.0.1", "rate-limited")


def test_a_client_is_limited_by_the_name_it_claims(database: DatabaseUrls, keys: Keyring) -> None:
    limits = TokenLimits(AgencyLimiter(), per_address=ROOMY, per_client="2/minute")
    with serving(database.api, keys, limits=limits) as server:
        busy, other = register(database), register(database)
        forged = Client(busy.client_id, other.key)
        for _ in range(2):
            assert refused(server.ask(assertion(forged)), "invalid_client")
        assert refused(server.ask(assertion(busy)), "temporarily_unavailable", 429)
        assert server.ask(assertion(other)).status_code == 200


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


def test_the_token_request_is_answered_by_an_own_key_kind_only(
    server: Server, database: DatabaseUrls
) -> None:
    """A public key of the client, taken as an HMAC secret, signs nothing."""
    client = register(database)
    other = ECKey.generate_key("P-256", {"alg": "ES256", "kid": "key-1"})
    embedded = {"jwk": other.as_dict(private=False)}
    forged = signed({"alg": "ES256", **embedded}, claims_of(client), other)
    assert refused(server.ask(forged), "invalid_client")
    assert isinstance(new_key("PS256"), RSAKey)
