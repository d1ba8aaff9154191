"""A log asks its witnesses: real servers, some of which are away, behind, or know better."""

import socket
import subprocess
import sys
from contextlib import ExitStack
from time import monotonic

import httpx2
import pytest

from dtsen.tlog.checkpoint import open_checkpoint
from dtsen.tlog.merkle import consistency_path
from dtsen.tlog.notes import Verifier
from dtsen.tlog.policy import parse_policy
from dtsen.witness.gathering import Contradicted, Witnesses
from tests.sandbox import free_port
from tests.tlog import naive
from tests.verifier import logs
from tests.witness.servers import serving, witness
from tests.witness.test_answering import LEAVES, OTHERS, note, submission


def path_from(size, leaves=LEAVES):
    return lambda old: consistency_path(old, size, naive.reader(leaves))


@pytest.fixture
def three(tmp_path):
    """Three witnesses that run, and the policy of the log that asks them: two are enough."""
    ones = [witness(tmp_path, number) for number in range(3)]
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(one)) for one in ones]
        yield ones, policy_of(ones, urls)


def policy_of(ones, urls):
    lines = [
        f"witness w{number} {one.signer.verifier} {url}"
        for number, (one, url) in enumerate(zip(ones, urls, strict=True))
    ]
    members = " ".join(f"w{number}" for number in range(len(ones)))
    return parse_policy("\n".join([*lines, f"group two 2 {members}", "quorum two", ""]))


@pytest.fixture
def http():
    with httpx2.Client() as one:
        yield one


def test_all_witnesses_sign_what_grows(three, http):
    ones, policy = three
    asking = Witnesses(policy, http, monotonic)
    for size in (5, 5, 64, 200):
        signatures = asking.gather(note(size), path_from(size))
        content = note(size) + "".join(one.line for one in signatures).encode()
        known = [one.signer.verifier for one in ones]
        _, opened = open_checkpoint(content, [logs.LOG.verifier, *known])
        assert policy.satisfied([one for one in known if opened.signed_by(one)])
        assert len(signatures) == 3
    asking.close()


def test_a_log_that_starts_anew_learns_where_its_witnesses_are(three, http):
    _, policy = three
    Witnesses(policy, http, monotonic).gather(note(64), path_from(64))
    assert len(Witnesses(policy, http, monotonic).gather(note(100), path_from(100))) == 3


def test_a_witness_that_is_away_holds_nobody_up(three, http, caplog):
    ones, _ = three
    urls = [f"http://127.0.0.1:{free_port()}" for _ in ones]
    assert Witnesses(policy_of(ones, urls), http, monotonic).gather(note(5), path_from(5)) == []
    assert "fewer than the policy asks for" in caplog.text


def test_a_witness_that_hangs_delays_one_publication_and_then_rests(three, http):
    ones, _ = three
    with socket.create_server(("127.0.0.1", 0)) as hanging, serving(ones[1]) as url:
        silent = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        asking = Witnesses(policy_of(ones[:2], [silent, url]), http, monotonic)
        started = monotonic()
        assert len(asking.gather(note(5), path_from(5))) == 1
        assert monotonic() - started < 5
        started = monotonic()
        assert len(asking.gather(note(6), path_from(6))) == 1
        assert monotonic() - started < 1


def test_a_witness_that_has_seen_another_history_stops_the_log(three, http):
    ones, policy = three
    ones[2].add_checkpoint(submission(0, 64, OTHERS))
    asking = Witnesses(policy, http, monotonic)
    for size in (64, 100):
        with pytest.raises(Contradicted):
            asking.gather(note(size), path_from(size))


def test_a_witness_that_has_seen_more_stops_the_log(three, http):
    ones, policy = three
    ones[0].add_checkpoint(submission(0, 200))
    with pytest.raises(Contradicted, match="200 entries"):
        Witnesses(policy, http, monotonic).gather(note(64), path_from(64))


def test_a_signature_of_somebody_else_does_not_count(three, http, tmp_path):
    ones, _ = three
    impostor = witness(tmp_path / "impostor", 9)
    with serving(impostor) as url:
        policy = policy_of(ones, [url] * 3)
        assert Witnesses(policy, http, monotonic).gather(note(5), path_from(5)) == []


def test_the_program_runs_alone_with_its_own_key_and_book(tmp_path):
    command = [sys.executable, "-m", "cli.main", "witness"]
    key = tmp_path / "key"
    made = subprocess.run(
        [*command, "key", key, "witness.example/alone"], capture_output=True, text=True, check=True
    )
    assert key.stat().st_mode & 0o777 == 0o600
    verifier = Verifier.parse(made.stdout.strip())
    again = subprocess.run([*command, "key", key, "a"], capture_output=True, check=False)
    assert again.returncode == 1
    port = free_port()
    serve = ["serve", key, "--log", str(logs.LOG.verifier), "--book", tmp_path / "book"]
    with (
        subprocess.Popen(
            [*command, *serve, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.PIPE
        ) as process,
        httpx2.Client(transport=httpx2.HTTPTransport(retries=5)) as http,
    ):
        try:
            assert str(port) in process.stdout.readline().decode()
            url = f"http://127.0.0.1:{port}/add-checkpoint"
            answer = http.post(url, content=submission(0, 5))
            assert answer.status_code == 200
            signed = note(5) + answer.content
            _, opened = open_checkpoint(signed, [logs.LOG.verifier, verifier])
            assert opened.signed_by(verifier)
            answer = http.post(url, content=submission(0, 6))
            assert answer.status_code == 409
            assert answer.headers["content-type"] == "text/x.tlog.size"
            assert http.get(url).status_code == 405
            assert http.post(url, content=bytes(300_000)).status_code == 413
            assert http.get(f"http://127.0.0.1:{port}/").status_code == 404
        finally:
            process.terminate()
