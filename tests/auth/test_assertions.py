"""Client assertions: claims, times, keys and use once, as FAPI 2.0 and the contract want them."""

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from joserfc.jwk import ECKey

from dtsen.clock import Clock
from dtsen.database import DatabaseUrls
from dtsen.keys import Keyring
from tests.auth.make import (
    ISSUER,
    Client,
    Server,
    assertion,
    claims_of,
    new_key,
    refused,
    register,
    segment,
    serving,
    signed,
)


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


@pytest.mark.parametrize(("registered", "used"), [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")])
def test_ed25519_and_eddsa_are_one_algorithm(
    server: Server, database: DatabaseUrls, registered: str, used: str
) -> None:
    client = register(database, registered)
    assert server.ask(assertion(client, header={"alg": used})).status_code == 200


def test_a_signature_by_another_key_is_refused(server: Server, database: DatabaseUrls) -> None:
    first, second = register(database), register(database)
    stolen = Client(first.client_id, second.key)
    unknown = Client("nobody-knows-me", second.key)
    answers = [server.ask(assertion(stolen)), server.ask(assertion(unknown))]
    assert all(refused(answer, "invalid_client") for answer in answers)
    assert answers[0].json() == answers[1].json(), "an id could be probed"
    cut = assertion(first)[:-4] + "AAAA"
    assert refused(server.ask(cut), "invalid_client")


def test_a_key_that_the_header_brings_along_is_not_believed(
    server: Server, database: DatabaseUrls
) -> None:
    client = register(database)
    other = ECKey.generate_key("P-256", {"alg": "ES256", "kid": "key-1"})
    embedded = {"jwk": other.as_dict(private=False)}
    forged = signed({"alg": "ES256", **embedded}, claims_of(client), other)
    assert refused(server.ask(forged), "invalid_client")


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
