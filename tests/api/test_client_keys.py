"""`POST /v1/client/keys`: an agency rotates its own key with the old one, and nobody else does."""

import json

import pytest
from joserfc.jwk import JWKRegistry, RSAKey

from cli.client_file import Algorithm, make_key
from tests.api.answers import code
from tests.key_statements import claims_of, key_statement, signed
from tests.parties import agency

KEYS = "/v1/client/keys"


@pytest.fixture
def client(sandbox):
    with agency(sandbox) as one:
        yield one


def test_the_new_key_serves_and_the_old_one_beside_it(sandbox, client):
    new = make_key(Algorithm.Ed25519)
    answer = sandbox.call(
        "POST", KEYS, key_statement(sandbox.client(client), new), as_client=client
    )
    assert answer.status_code == 200
    old, fresh = answer.json()["keys"]
    assert (fresh["kid"], fresh["alg"], fresh["valid_until"]) == (new.kid, "Ed25519", None)
    assert old["valid_until"] is not None
    sandbox._tokens.pop(client, None)
    assert sandbox.call("GET", "/v1/releases", as_client=client).status_code == 200
    file = sandbox.home / "demo" / "clients" / f"{client}.json"
    file.write_text(json.dumps(sandbox.client(client) | {"private_jwk": new.as_dict(private=True)}))
    sandbox._tokens.pop(client, None)
    assert sandbox.call("GET", "/v1/releases", as_client=client).status_code == 200
    with sandbox.owner() as connection:
        rows = connection.execute(
            "SELECT outcome FROM audit.record WHERE client = %s AND op = 'client.keys'", (client,)
        ).fetchall()
    assert sorted(row[0] for row in rows) == ["asked", "told"]


def test_a_statement_is_used_once(sandbox, client):
    body = key_statement(sandbox.client(client))
    assert sandbox.call("POST", KEYS, body, as_client=client).status_code == 200
    again = sandbox.call("POST", KEYS, body, as_client=client)
    assert (again.status_code, code(again)) == (422, "invalid-request")


def test_a_key_that_was_replaced_names_no_successor(sandbox, client):
    """Who finds the key that an agency gave up must not push the new one out."""
    file, new = sandbox.client(client), make_key(Algorithm.ES256)
    body = key_statement(file, new)
    assert sandbox.call("POST", KEYS, body, as_client=client).status_code == 200
    assert refused(sandbox, client, key_statement(file)) == ("/statement", "no-key-of-this-client")
    later = key_statement(file | {"private_jwk": new.as_dict(private=True)})
    assert sandbox.call("POST", KEYS, later, as_client=client).status_code == 200


def refused(sandbox, client, body):
    answer = sandbox.call("POST", KEYS, body, as_client=client)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    return fault["pointer"], fault["code"]


def test_what_is_not_signed_by_old_and_new_changes_nothing(sandbox, client):
    file = sandbox.client(client)
    new, other = make_key(Algorithm.ES256), make_key(Algorithm.ES256)
    right = key_statement(file, new)
    claims = claims_of(file, new)
    old = JWKRegistry.import_key(file["private_jwk"])
    for body, place in (
        (right | {"proof": signed(other, claims)}, "/proof"),
        (right | {"proof": right["statement"]}, "/proof"),
        (right | {"statement": right["proof"]}, "/statement"),
        (right | {"statement": signed(old, claims, "JWT")}, "/statement"),
        ({"statement": signed(old, claims), "proof": signed(new, claims | {"jti": "x"})}, "/proof"),
        (key_statement(file, old), "/statement"),
    ):
        assert refused(sandbox, client, body)[0] == place
    with sandbox.owner() as connection:
        row = connection.execute(
            "SELECT jsonb_array_length(jwks -> 'keys') FROM auth.client WHERE client_id = %s",
            (client,),
        ).fetchone()
    assert row == (1,)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://lain.go.id"},
        {"exp": 1},
        {"exp": 99_999_999_999},
        {"jti": None},
        {"sub": "demo-app", "iss": "demo-app"},
        {"jwk": {"kty": "EC"}},
        {"jwk": None},
    ],
)
def test_a_statement_of_other_claims_is_refused(sandbox, client, changes):
    body = key_statement(sandbox.client(client), **changes)
    assert refused(sandbox, client, body)[0] == "/statement"


def test_a_short_key_is_refused(sandbox, client):
    file = sandbox.client(client)
    long = RSAKey.generate_key(2048, {"alg": "PS256", "kid": "long", "use": "sig"})
    short = {**long.as_dict(private=False), "n": "A" * 170}
    body = key_statement(file, long, jwk=short)
    assert refused(sandbox, client, body) == ("/statement", "key-refused")


def test_a_token_of_another_client_does_not_do(sandbox, client):
    body = key_statement(sandbox.client(client))
    with agency(sandbox) as other:
        assert refused(sandbox, other, body)[0] == "/statement"
