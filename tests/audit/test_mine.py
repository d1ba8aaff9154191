"""An agency checks its own calls against the running log: all of them, and only them."""

import base64
import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from dtsen.verifier.receipts import read_receipts

RECEIPT = "dtsen-access-record"


@pytest.fixture
def client(sandbox):
    return sandbox.home / "demo" / "clients" / "demo-insurer.json"


def run(*words, state):
    return CliRunner().invoke(app, ["audit", *map(str, words), "--state", str(state)])


def mine(receipts, client, state):
    return run("verify", "--mine", receipts, "--client", client, state=state)


def looked_up(sandbox, count):
    """Receipts of new calls of the insurer."""
    told = []
    for nik in sandbox.samples["identifiers"]["found"][:count]:
        answer = sandbox.call(
            "POST", "/v1/individuals/lookup", {"nik": nik}, as_client="demo-insurer"
        )
        told.append(answer.headers[RECEIPT])
    return told


def test_all_calls_and_only_these_are_in_the_log(sandbox, client, tmp_path):
    told = looked_up(sandbox, 4)
    receipts = tmp_path / "receipts"
    receipts.write_text("\n".join([f"DTSEN-Access-Record: {told[0]}", "", *told[1:], ""]))
    done = mine(receipts, client, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "4 calls, all of them and no others" in done.stdout
    # Its own calls are kept, so that the next check knows them.
    assert len(read_receipts(receipts.read_text())) > 4
    again = mine(receipts, client, tmp_path)
    assert again.exit_code == 0, again.stderr

    one, other = told[0], told[1]
    altered = tmp_path / "altered"
    leaf = base64.b64encode(bytes(32)).decode()
    altered.write_text("\n".join([f"{one[:38]};leaf=:{leaf}:", *told[1:]]))
    done = mine(altered, client, tmp_path)
    assert (done.exit_code, "not the one of your receipt" in done.stderr) == (1, True)

    fewer = tmp_path / "fewer"
    fewer.write_text("\n".join([told[0], *told[2:]]))
    done = mine(fewer, client, tmp_path)
    assert (done.exit_code, f"record {other[1:37]}" in done.stderr) == (1, True)
    assert "without a receipt" in done.stderr

    more = tmp_path / "more"
    foreign = other.replace(other[30:37], "000000" + other[36])
    more.write_text("\n".join([*told, foreign]))
    done = mine(more, client, tmp_path)
    assert (done.exit_code, "is not in the log" in done.stderr) == (1, True)


def test_a_proof_is_verified_before_it_is_printed(sandbox, client, tmp_path, go_judge):
    (told,) = looked_up(sandbox, 1)
    record = told[1:37]
    done = run("proof", client, record, state=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("c2sp.org/tlog-proof@v1\nextra ")
    leaf = json.loads(base64.b64decode(done.stdout.split("\n")[1].removeprefix("extra ")))
    assert leaf["jti"] == record
    key = sandbox.http.get("/log/key").text.split("\n")[0]
    assert go_judge("proof", key, given=done.stdout.encode()).returncode == 0
    other = key.replace("/log/", "/other/")
    refused = run("proof", client, record, "--key", other, state=tmp_path)
    assert refused.exit_code != 0
    assert refused.stdout == ""
    gone = record[:-6] + "000000"
    assert run("proof", client, gone, state=tmp_path).exit_code == 1


def test_the_running_log_is_verified_over_http_with_its_entries(sandbox, tmp_path):
    url = f"http://127.0.0.1:{sandbox.port}/log"
    done = run("verify", url, "--json", state=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["entries"] is False
    verifier = sandbox.home / "demo" / "clients" / "demo-verifier.json"
    done = run("verify", url, "--client", verifier, "--json", state=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["entries"] is True


@pytest.mark.parametrize("text", ["nonsense", '"a";leaf=:b:', "DTSEN-Access-Record:"])
def test_what_is_no_receipt_is_refused(text):
    with pytest.raises(ValueError, match="line 1"):
        read_receipts(text)
