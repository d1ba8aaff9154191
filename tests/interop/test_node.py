"""openid-client (npm), which is not ours, gets and uses tokens in every combination."""

import json
import subprocess

import pytest

from tests.packages import program

ALGORITHMS = ("ES256", "PS256", "Ed25519")
CLIENTS = {"demo-ministry": "ES256", "demo-insurer": "PS256", "demo-app": "Ed25519"}


@pytest.fixture
def script(libraries):
    return libraries / "client.mjs"


@pytest.fixture(params=["sandbox", "behind_tls"])
def server(request):
    """Without and with nonces of the server."""
    return request.getfixturevalue(request.param)


def run(script, client, proofs):
    said = json.dumps({"client": client, "proofs": proofs, "path": "/v1/releases/current"})
    line = [program("node", "nodejs"), str(script)]
    done = subprocess.run(line, input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(each) for each in done.stdout.splitlines()]


@pytest.mark.parametrize("client_id", CLIENTS)
def test_every_client_key_with_every_proof(server, script, client_id):
    told = run(script, server.client(client_id), ALGORITHMS)
    assert [one["proof"] for one in told] == list(ALGORITHMS)
    for one in told:
        assert one["alg"] == CLIENTS[client_id]
        assert (one["type"], one["expires"], one["bound"]) == ("dpop", 300, ["jkt"])
        assert (one["answers"], one["active"], one["after"]) == ([200, 200], True, 401)


def test_a_plain_bearer_token(server, script):
    (one,) = run(script, server.client("demo-explorer"), [None])
    assert (one["type"], one["bound"], one["answers"]) == ("bearer", [], [200, 200])
    assert (one["active"], one["after"]) == (True, 401)
