"""openid-client (npm), which is not ours, gets and uses tokens in every combination."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packages import program

HERE = Path(__file__).parent
ALGORITHMS = ("ES256", "PS256", "Ed25519")
CLIENTS = {"demo-ministry": "ES256", "demo-insurer": "PS256", "demo-app": "Ed25519"}


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The client with its libraries, installed from the committed lock."""
    folder = tmp_path_factory.mktemp("interop")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / name, folder)
    npm = program("npm", "npm nodejs")
    line = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "client.mjs"


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
