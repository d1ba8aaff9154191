"""`dtsen key`: rotation under running workers whose keys are in a module; nothing is restarted."""

import base64
import json
import time

import httpx2
import pytest
from typer.testing import CliRunner

from cli import context
from cli.main import app
from dtsen.client import TokenRefused
from dtsen.keys import Purpose, open_keyring
from dtsen.releases.synth import EXAMPLE_NIKS
from tests.sandbox import running_sandbox
from tests.softhsm import module

LOOKUP = "/v1/individuals/lookup"
ASKED = {"nik": EXAMPLE_NIKS[0], "fields": ["nama"]}
PATIENCE = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A sandbox of its own with its keys in a module, and the settings to find it by."""
    uri = {"DTSEN_KEY_URI": module(tmp_path_factory.mktemp("hsm"))}
    with running_sandbox(families=1_000, **uri) as sandbox:
        yield sandbox, {"DTSEN_HOME": str(sandbox.home), **uri}


@pytest.fixture
def dtsen(place, monkeypatch):
    _, settings = place
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(*arguments, code=0):
        context.settings.cache_clear()
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == code, result.output
        return result.output

    yield run
    context.settings.cache_clear()


def kid(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


def published(sandbox):
    return [key["kid"] for key in sandbox.http.get("/oauth/jwks").json()["keys"]]


def states(dtsen, purpose="tokens"):
    told = json.loads(dtsen("key", "list", "--json"))
    return {key["version"]: key["state"] for key in told if key["purpose"] == purpose}


def fresh(sandbox):
    sandbox._tokens.clear()
    return sandbox.token()


def signed_by(sandbox, name):
    """Whether a new token is; a worker whose key was destroyed gives none until it looks again."""
    try:
        return kid(fresh(sandbox)) == name
    except TokenRefused as refused:
        if refused.status != httpx2.codes.SERVICE_UNAVAILABLE:
            raise
        return False


def until(what):
    """Workers look for keys every few seconds; they send no news of it."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_rotation_reaches_running_workers(place, dtsen):
    sandbox, _ = place
    old = fresh(sandbox)
    assert kid(old) == "tokens-1"
    dtsen("key", "rotate", "tokens", "--in", "0")
    assert states(dtsen) == {"1": "verifies", "2": "signs"}
    until(lambda: kid(fresh(sandbox)) == "tokens-2")
    for token in (old, fresh(sandbox)):
        for _ in range(6):  # both workers
            headers = {"Authorization": f"Bearer {token}"}
            answer = sandbox.http.post(LOOKUP, json=ASKED, headers=headers)
            assert answer.status_code == 200
    until(lambda: {"tokens-1", "tokens-2", "signatures-1"} <= set(published(sandbox)))


def test_a_new_key_waits_and_a_second_rotation_with_it(place, dtsen):
    sandbox, _ = place
    dtsen("key", "rotate", "signatures")
    assert states(dtsen, "signatures") == {"1": "signs", "2": "published"}
    until(lambda: "signatures-2" in published(sandbox))
    assert "has not begun" in dtsen("key", "rotate", "signatures", code=1)


def test_a_compromised_key_ends_at_once(place, dtsen):
    sandbox, settings = place
    fresh(sandbox)
    dtsen("key", "rotate", "tokens", "--compromised")
    newest = max(states(dtsen))
    assert states(dtsen) == {newest: "signs"}
    until(lambda: published(sandbox)[0] == f"tokens-{newest}")
    until(lambda: signed_by(sandbox, f"tokens-{newest}"))
    held = open_keyring(sandbox.home / "keys", settings.get("DTSEN_KEY_URI"))
    assert held.versions(Purpose.TOKENS) == [newest]


def test_rotations_are_in_the_log(place, dtsen):
    sandbox, _ = place
    dtsen("key", "rotate", "cursors")
    dtsen("key", "rotate", "answers", code=1)
    with sandbox.owner() as connection:
        rows = connection.execute(
            "SELECT op, outcome, convert_from(leaf, 'UTF8')::jsonb ->> 'key_name' FROM audit.record"
            " WHERE op LIKE 'key.%' ORDER BY recorded_at"
        ).fetchall()
    assert rows[-2:] == [("key.rotate", "done", "cursors/2"), ("key.rotate", "refused", None)]
    assert ("key.destroy", "done", "tokens/1") in rows


def test_ids_and_repeats_go_on_after_their_keys_were_rotated(place, dtsen):
    sandbox, _ = place
    before = sandbox.call("POST", LOOKUP, ASKED).json()["individual"]["id"]
    for purpose in ("pairwise", "repeats", "cursors"):
        dtsen("key", "rotate", purpose)
    assert sandbox.call("POST", LOOKUP, ASKED).json()["individual"]["id"] == before
    assert sandbox.call("GET", f"/v1/individuals/{before}").status_code == 200
