"""Tokens bound to a key: what the token endpoint asks for and what it then says."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from dtsen.database import DatabaseUrls
from dtsen.keys import Keyring
from tests.auth.make import Client, Server, assertion, form, refused, register, serving
from tests.auth.prove import KEYS, TOKEN_URL, at, proof


def ask(server: Server, client: Client, *proofs: str, text: str | None = None):
    fields = form(text or assertion(client))
    return server.http.post("/oauth/token", data=fields, headers=[("DPoP", one) for one in proofs])


@pytest.fixture
def client(database: DatabaseUrls) -> Client:
    return register(database, binding="dpop")


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "Ed25519"])
@pytest.mark.parametrize("name", KEYS)
def test_a_proof_of_each_algorithm_binds_the_token_of_each_client(
    server: Server, database: DatabaseUrls, algorithm: str, name: str
) -> None:
    client = register(database, algorithm, binding="dpop")
    body = ask(server, client, proof(KEYS[name])).json()
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 300)
    keys = KeySet.import_key_set(server.http.get("/oauth/jwks").json())
    claims = jwt.decode(body["access_token"], keys, algorithms=["ES256"]).claims
    assert claims["cnf"] == {"jkt": KEYS[name].thumbprint()}


def test_a_proof_binds_even_where_none_is_asked_for(server: Server, database: DatabaseUrls) -> None:
    assert ask(server, register(database), proof()).json()["token_type"] == "DPoP"  # noqa: S105


BAD = {
    "none": lambda: (),
    "two": lambda: (proof(), proof()),
    "garbage": lambda: ("garbage",),
    "empty": lambda: ("",),
    "for another method": lambda: (proof(method="GET"),),
    "for another address": lambda: (proof(url=f"{TOKEN_URL}/"),),
    "old": lambda: (proof(iat=at(-100)),),
    "unsigned": lambda: (proof(header={"alg": "none"}),),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_proof_is_named_so(server: Server, client: Client, case: str) -> None:
    assert refused(ask(server, client, *BAD[case]()), "invalid_dpop_proof")
    assert server.refusals == [(client.client_id, "invalid_dpop_proof")]
    assert ask(server, client, proof()).status_code == 200


def test_whom_we_do_not_know_is_not_told_of_proofs(server: Server, client: Client) -> None:
    assert refused(ask(server, client, text="garbage"), "invalid_client")
    stranger = Client("stranger", client.key)
    assert refused(ask(server, stranger, proof()), "invalid_client")


def test_proof_and_assertion_each_serve_once(
    server: Server, client: Client, database: DatabaseUrls, keys: Keyring
) -> None:
    shown, said = proof(), assertion(client)
    assert ask(server, client, shown, text=said).status_code == 200
    assert refused(ask(server, client, shown), "invalid_dpop_proof")
    assert refused(ask(server, client, proof(), text=said), "invalid_client")
    with serving(database.api, keys) as another:
        assert refused(ask(another, client, shown), "invalid_dpop_proof")
        assert refused(ask(another, client, proof(), text=said), "invalid_client")
        assert ask(another, client, proof()).status_code == 200


def test_of_many_at_once_one_proof_gives_one_token(
    server: Server, client: Client, database: DatabaseUrls, keys: Keyring
) -> None:
    shown = proof()
    with serving(database.api, keys) as another, ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda place: ask((server, another)[place % 2], client, shown), range(16))
        )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [400] * 15


def test_nonces_where_the_operator_wants_them(
    client: Client, database: DatabaseUrls, keys: Keyring
) -> None:
    with (
        serving(database.api, keys, nonces=True) as server,
        serving(database.api, keys, nonces=True) as another,
    ):
        for stale in (None, "nonsense", "5f.nonsense", "é", 7):
            answer = ask(server, client, proof(nonce=stale))
            assert refused(answer, "use_dpop_nonce"), stale
        nonce = answer.headers["dpop-nonce"]
        told = ask(another, client, proof(nonce=nonce))
        assert told.status_code == 200
        assert ask(server, client, proof(nonce=told.headers["dpop-nonce"])).status_code == 200
        moment, _, mac = nonce.partition(".")
        older = f"{int(moment, 16) - 1:x}.{mac}"
        assert refused(ask(server, client, proof(nonce=older)), "use_dpop_nonce")
