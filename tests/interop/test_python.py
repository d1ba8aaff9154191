"""requests_oauth2client (PyPI), which is not ours, gets and uses tokens; by certificate too."""

import pytest
import requests
from jwskate import Jwk
from requests_oauth2client import OAuth2Client, PrivateKeyJwt

PATH = "/v1/releases/current"


def client_of(file, **more):
    jwk = file["private_jwk"]
    auth = PrivateKeyJwt(file["client_id"], Jwk(jwk), alg=jwk["alg"], aud=file["issuer"])
    # Its word for plain http, which a sandbox speaks.
    return OAuth2Client(token_endpoint=file["token_endpoint"], auth=auth, testing=True, **more)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
@pytest.mark.parametrize("client_id", ["demo-ministry", "demo-insurer"])
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
