"""requests_oauth2client (PyPI), which is not ours, gets and uses tokens; by certificate too."""

import time
from secrets import token_hex

import pytest
import requests
from jwskate import Jwk
from requests_oauth2client import OAuth2Client, PrivateKeyJwt, UnauthorizedClient

from auth.clients import revoke_client
from cli.certificates import self_signed
from cli.client_file import Algorithm, ClientTerms, add_with_new_key

PATH = "/v1/releases/current"


def client_of(file, **more):
    auth = auth_of(file)
    # Its word for plain http, which a sandbox speaks.
    return OAuth2Client(token_endpoint=file["token_endpoint"], auth=auth, testing=True, **more)


def auth_of(file):
    # It knows Ed25519 by its older name alone.
    jwk = file["private_jwk"]
    jwk |= {"alg": jwk["alg"].replace("Ed25519", "EdDSA")}
    return PrivateKeyJwt(file["client_id"], Jwk(jwk), alg=jwk["alg"], aud=file["issuer"])


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
@pytest.mark.parametrize("client_id", ["demo-ministry", "demo-insurer", "demo-app"])
def test_tokens_bound_to_a_key(sandbox, client_id, alg):
    file = sandbox.client(client_id)
    client = client_of(file, dpop_bound_access_tokens=True, dpop_alg=alg)
    token = client.client_credentials(scope=file["scope"])
    assert token.token_type == "DPoP"  # noqa: S105 - a type
    for _ in range(2):
        answer = requests.get(file["issuer"] + PATH, auth=token, timeout=30)
        assert answer.status_code == 200


def test_a_plain_bearer_token(sandbox):
    file = sandbox.client("demo-explorer")
    token = client_of(file).client_credentials(scope=file["scope"])
    answer = requests.get(file["issuer"] + PATH, auth=token, timeout=30)
    assert answer.status_code == 200


def test_a_token_bound_to_a_certificate(behind_tls, tmp_path):
    file = behind_tls.client("demo-bus")
    pair = tmp_path / "pair.pem"
    pair.write_text(file["certificate"] + file["key"])
    with requests.Session() as session:
        session.trust_env = False  # an environment's own authorities would come first
        session.cert, session.verify = str(pair), file["ca_file"]
        client = OAuth2Client(
            token_endpoint=file["token_endpoint"], client_id=file["client_id"], session=session
        )
        token = client.client_credentials(scope=file["scope"])
        origin = file["token_endpoint"].removesuffix("/oauth/token")
        assert session.get(origin + PATH, auth=token, timeout=30).status_code == 200
    with requests.Session() as bare:
        bare.trust_env, bare.verify = False, file["ca_file"]
        assert bare.get(origin + PATH, auth=token, timeout=30).status_code == 401


@pytest.fixture(params=Algorithm)
def signing(request, behind_tls):
    """A client that signs assertions and has its tokens bound to a certificate."""
    name = f"uji-{token_hex(4)}"
    issuer = behind_tls.client("demo-bus")["issuer"]
    with behind_tls.owner() as connection:
        (agency,) = connection.execute(
            "SELECT agency FROM auth.client WHERE client_id = 'demo-bus'"
        ).fetchone()
        terms = ClientTerms(name, agency, "interop", issuer, binding="mtls")
        file = behind_tls.home / "demo" / "clients" / f"{name}.json"
        add_with_new_key(connection, terms, request.param, file)
        yield behind_tls.client(name)
        revoke_client(connection, name)
        file.unlink()


def test_an_assertion_of_each_kind_beside_a_certificate(signing, behind_tls, tmp_path):
    bus = behind_tls.client("demo-bus")
    origin = bus["token_endpoint"].removesuffix("/oauth/token")
    pair = tmp_path / "pair.pem"
    pair.write_text("".join(self_signed("anything")[:2]))
    with requests.Session() as session:
        session.trust_env = False
        session.cert, session.verify = str(pair), bus["ca_file"]
        client = OAuth2Client(
            token_endpoint=bus["token_endpoint"], auth=auth_of(signing), session=session
        )
        token = until_known(client)
        for _ in range(2):
            assert session.get(origin + PATH, auth=token, timeout=30).status_code == 200
    with requests.Session() as bare:
        bare.trust_env, bare.verify = False, bus["ca_file"]
        assert bare.get(origin + PATH, auth=token, timeout=30).status_code == 401


def until_known(client):
    """A token; each worker knows a new client with its next look, within a second."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return client.client_credentials()
        except UnauthorizedClient:
            assert time.monotonic() < deadline
