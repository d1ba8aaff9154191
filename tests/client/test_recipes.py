"""The recipes of docs/agencies, run as they stand by the programs that they are written for.

What a recipe needs is installed where it is missing; where that cannot be, its tests fail and name
the line to run. None of them is ever passed over.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from dtsen.releases.synth import EXAMPLE_NIKS
from dtsen.verifier.receipts import read_receipts
from tests.packages import program

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "agencies" / "recipes"
CLIENTS = {"ES256": "demo-ministry", "PS256": "demo-insurer", "Ed25519": "demo-app"}
NIK = EXAMPLE_NIKS[0]


def shell():
    for needed in ("curl", "jq", "openssl"):
        program(needed, needed)
    return [program("bash", "bash"), FOLDER / "lookup.sh"]


def php():
    return [program("php", "php-cli"), FOLDER / "lookup.php"]


def node():
    return [program("node", "nodejs"), FOLDER / "lookup.mjs"]


def java():
    """Compiled once: from its source it compiles itself at each start."""
    compiler = program("javac", "default-jdk-headless")
    classes = tempfile.mkdtemp(prefix="dtsen-recipe-")
    subprocess.run([compiler, "-d", classes, FOLDER / "Lookup.java"], check=True)
    return [program("java", "default-jdk-headless"), *QUICK, "-cp", classes, "Lookup"]


QUICK = ("-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""A run is over before anything is worth optimizing."""
RECIPES = {"lookup.sh": shell, "lookup.php": php, "lookup.mjs": node, "Lookup.java": java}
SIGNS = {
    "lookup.sh": ["ES256"],
    "lookup.php": ["ES256"],
    "lookup.mjs": [*CLIENTS],
    "Lookup.java": [*CLIENTS],
}


@pytest.fixture(params=RECIPES, scope="module")
def recipe(request):
    return request.param


@pytest.fixture(scope="module")
def line(recipe):
    made = RECIPES[recipe]()
    yield made
    if recipe == "Lookup.java":
        shutil.rmtree(made[made.index("-cp") + 1])


def run(line, file, nik=NIK):
    done = subprocess.run(
        [*line, file], input=nik + "\n", capture_output=True, text=True, check=False, timeout=120
    )
    assert nik not in done.stderr
    return done


def file_of(server, client):
    return server.home / "demo" / "clients" / f"{client}.json"


def changed(server, tmp_path, client="demo-ministry", **changes):
    file = tmp_path / "client.json"
    file.write_text(json.dumps({**server.client(client), **changes}))
    return file


def test_each_recipe_is_known_here():
    assert {path.name for path in FOLDER.iterdir()} == set(RECIPES) == set(SIGNS)


def test_it_looks_one_up_with_each_key_that_it_knows(sandbox, recipe, line):
    for algorithm in SIGNS[recipe]:
        done = run(line, file_of(sandbox, CLIENTS[algorithm]))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["individual"]["id"].startswith("i1-")
        assert len(read_receipts(done.stderr)) == 1


def test_java_runs_from_its_source(sandbox):
    line = [program("java", "default-jdk-headless"), *QUICK, FOLDER / "Lookup.java"]
    done = run(line, file_of(sandbox, "demo-ministry"))
    assert done.returncode == 0, done.stderr


def test_it_says_of_a_key_that_it_does_not_know_that_it_does_not(sandbox, recipe, line):
    for algorithm in CLIENTS.keys() - set(SIGNS[recipe]):
        done = run(line, file_of(sandbox, CLIENTS[algorithm]))
        assert (done.returncode, done.stdout) == (2, "")
        assert "ES256 alone" in done.stderr


def test_it_gives_a_nonce_where_one_is_wanted(behind_tls, line):
    done = run(line, file_of(behind_tls, "demo-ministry"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["individual"]


def test_who_is_not_found_is_an_answer_with_next_steps(sandbox, line):
    done = run(line, file_of(sandbox, "demo-ministry"), "3374990101900009")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["next_steps"]
    assert len(read_receipts(done.stderr)) == 1


def test_a_wrong_key_is_told_and_nothing_else_is(sandbox, line, tmp_path):
    jwk = sandbox.client("demo-ministry")["private_jwk"]
    other = sandbox.client("demo-province")["private_jwk"]
    done = run(line, changed(sandbox, tmp_path, private_jwk={**other, "kid": jwk["kid"]}))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no token (400): invalid_client" in done.stderr


def test_a_refusal_is_no_absence(sandbox, line):
    done = run(line, file_of(sandbox, "demo-ministry"), "337499010190000")
    assert (done.returncode, done.stdout) == (2, "")
    assert "refused: 422 invalid-request" in done.stderr


def test_it_sends_nothing_unencrypted(sandbox, line, tmp_path):
    done = run(line, changed(sandbox, tmp_path, issuer="http://dtsen.example"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "http://dtsen.example is not encrypted" in done.stderr
