"""`dtsen audit verify` as it is run: over folders and HTTP, once and following, and `--case`."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from cli.main import app
from dtsen.tlog.merkle import EMPTY_ROOT, leaf_hash
from tests.tlog import naive
from tests.verifier import logs

LEAVES = logs.entries(700)
SIZE = 600


def run(*arguments, home, text=None):
    """The command in this process; `home` is where it remembers."""
    words = ["audit", "verify", *map(str, arguments), "--state", str(home / "verified")]
    return CliRunner().invoke(app, words, input=text)


@pytest.fixture
def folder(tmp_path):
    """A publication with one log."""
    logs.publish(tmp_path / "log" / "2026", LEAVES[:SIZE])
    return tmp_path / "log"


class Busy(SimpleHTTPRequestHandler):
    """Files over HTTP, by a server that is busy at every third request."""

    asked = 0

    def do_GET(self):
        Busy.asked += 1
        if Busy.asked % 3 == 0:
            self.send_response(429)
            self.send_header("Retry-After", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(folder) -> Iterator[str]:
    """The publication served over HTTP."""
    current = folder / "checkpoint"
    current.write_bytes((folder / "2026" / "checkpoint").read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Busy, directory=folder.parent)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/log"
        server.shutdown()
        thread.join()


def test_a_folder_is_verified_and_told(folder, tmp_path):
    done = run(folder, "--key", logs.LOG.verifier, "--json", home=tmp_path)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["origin"] == logs.ORIGIN
    assert (told["size"], told["from"], told["entries"]) == (SIZE, 0, True)
    assert not told["key_first_met"]


def test_a_mirror_is_verified_over_http(mirror, folder, tmp_path):
    done = run(mirror, home=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert f"{SIZE} entries hold" in done.stdout
    assert "taken from the log itself" in done.stderr
    logs.publish(folder / "2026", [*LEAVES[:400], *LEAVES[401:]])
    done = run(mirror + "/2026", home=tmp_path)
    assert done.exit_code == 3, done.stderr
    assert "Forked" in done.stderr


def test_each_way_to_fail_has_its_code(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dtsen.verifier.mirror.FIRST_WAIT_SECONDS", 0.001)
    assert run(tmp_path / "nowhere", home=tmp_path).exit_code == 2
    assert run("http://127.0.0.1:1/log", home=tmp_path).exit_code == 2
    assert run(folder, home=tmp_path).exit_code == 0
    logs.publish(folder / "2026", LEAVES[: SIZE - 1])
    done = run(folder, home=tmp_path)
    assert done.exit_code == 4
    assert "Shrunk: the log has 599 entries and had 600" in done.stderr
    tile = folder / "2026" / "tile" / "0" / "001"
    logs.publish(folder / "2026", LEAVES[:SIZE])
    tile.write_bytes(bytes(8192))
    done = run(folder, "--json", home=tmp_path)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["entry"] == 256


def follower(folder, home, *options):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "cli.main", "audit", "verify", str(folder)),
            *("--follow", "--every", "0.1", *options),
        ],
        env=os.environ | {"DTSEN_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_monitor_follows_and_alarms_on_a_fork(folder, tmp_path):
    with follower(folder, tmp_path) as monitor:
        assert f"{SIZE} entries, as promised" in monitor.stdout.readline()
        logs.publish(folder / "2026", LEAVES[:650])
        assert "650 entries, as promised" in monitor.stdout.readline()
        logs.publish(folder / "2026", [*LEAVES[:649], LEAVES[0], LEAVES[1]])
        assert monitor.wait(60) == 3
        assert "Forked: entry 649" in monitor.stderr.read()


def test_a_monitor_alarms_on_a_log_that_stalls_or_shrinks(folder, tmp_path):
    with follower(folder, tmp_path, "--stall", "0.5") as monitor:
        assert monitor.wait(60) == 5
        assert "Stalled" in monitor.stderr.read()
    with follower(folder, tmp_path) as monitor:
        assert f"{SIZE} entries" in monitor.stdout.readline()
        logs.publish(folder / "2026", LEAVES[:300])
        assert monitor.wait(60) == 4


def encoded(content):
    return base64.b64encode(content).decode()


ONES = [bytes([number]) for number in range(7)]
INCLUSION = {
    "leafIdx": 4,
    "treeSize": 7,
    "root": encoded(naive.mth(ONES)),
    "leafHash": encoded(leaf_hash(ONES[4])),
    "proof": [encoded(one) for one in naive.path(4, ONES)],
}
CONSISTENCY = {
    "size1": 3,
    "size2": 7,
    "root1": encoded(naive.mth(ONES[:3])),
    "root2": encoded(naive.mth(ONES)),
    "proof": [encoded(one) for one in naive.proof(3, ONES)],
}
SAME = CONSISTENCY | {"size1": 7, "root1": CONSISTENCY["root2"], "proof": None}
LONE = INCLUSION | {
    "leafIdx": 0,
    "treeSize": 1,
    "root": INCLUSION["leafHash"],
    "proof": None,
}
EMPTY = encoded(EMPTY_ROOT)


@pytest.mark.parametrize(
    "case",
    [INCLUSION, CONSISTENCY, SAME, LONE, INCLUSION | {"desc": "happy path", "wantErr": False}],
)
def test_a_case_that_holds_is_accepted(case, tmp_path):
    assert run("--case", home=tmp_path, text=json.dumps(case)).exit_code == 0


@pytest.mark.parametrize(
    "case",
    [
        INCLUSION | {"leafIdx": 5},
        INCLUSION | {"leafIdx": 2**64 - 1},
        INCLUSION | {"leafIdx": -1},
        INCLUSION | {"leafIdx": 4.0},
        INCLUSION | {"leafHash": ""},
        INCLUSION | {"leafHash": encoded(b"WrongLeaf")},
        INCLUSION | {"proof": [*INCLUSION["proof"], ""]},
        INCLUSION | {"root": EMPTY},
        LONE | {"treeSize": 0},
        CONSISTENCY | {"size1": 0, "root1": EMPTY, "proof": []},
        CONSISTENCY | {"size1": 0},
        CONSISTENCY | {"root1": CONSISTENCY["root2"], "root2": CONSISTENCY["root1"]},
        CONSISTENCY | {"proof": None},
        SAME | {"proof": [EMPTY]},
        SAME | {"root1": EMPTY},
        {"size1": 3},
        [],
    ],
)
def test_a_case_that_does_not_hold_is_refused(case, tmp_path):
    done = run("--case", home=tmp_path, text=json.dumps(case))
    assert done.exit_code == 1
    assert done.stderr.startswith("refused")


def test_a_case_is_judged_by_the_command_itself():
    command = [sys.executable, "-m", "cli.main", "audit", "verify", "--case"]
    for case, code in ((INCLUSION, 0), (INCLUSION | {"leafIdx": 3}, 1)):
        done = subprocess.run(
            command, input=json.dumps(case), capture_output=True, text=True, check=False
        )
        assert done.returncode == code
