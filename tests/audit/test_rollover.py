"""The running server across the ends of a month and a year, and with a clock that goes back.

PostgreSQL, workers, sequencer and client share one clock that the test moves (`moved_clock`), while
the client looks people up without a pause. No read is refused, and no record is lost or misplaced.
"""

import base64
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
import psycopg
import pytest

from dtsen.clock import key_epoch
from dtsen.database import connect
from dtsen.tlog.checkpoint import open_checkpoint
from dtsen.tlog.merkle import leaf_hash
from dtsen.tlog.notes import Verifier, read_note
from dtsen.tlog.proof import ProofFile
from tests.faults.acknowledged import RECEIPT, compare
from tests.faults.processes import until
from tests.moved_clock import MovedClock, moved_cluster
from tests.postgres import open_folder
from tests.sandbox import Sandbox, running_sandbox

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
MONTH_ENDS = datetime(2026, 12, 1, tzinfo=UTC)
YEAR_ENDS = datetime(2027, 1, 1, tzinfo=UTC)
BEFORE = timedelta(seconds=4)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ENOUGH = 20
BOUNDARY = timedelta(seconds=2)
"""Within which a record's keys may be those of the month before: they were chosen before it was."""

PENDING = "SELECT EXISTS (SELECT FROM audit.pending)"
COMPLETE_UNTIL = "SELECT complete_until FROM audit.progress"
CUT_OFF = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'dtsen-sequencer'"
)
PLACES = """
SELECT r.id::text, r.tableoid::regclass::text, r.recorded_at, r.key_epoch, l.year
FROM audit.record r JOIN audit.leaf l ON l.recorded_at = r.recorded_at AND l.record = r.id
WHERE r.id = ANY (%s::uuid[])
"""
ENDS = """
SELECT l.year, r.leaf FROM audit.leaf l
JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE (l.year, l.index) IN
    (SELECT 2026, max(index) FROM audit.leaf WHERE year = 2026 UNION SELECT 2027, 0)
ORDER BY l.year
"""


@dataclass
class History:
    """What the client was answered, by what happened meanwhile."""

    sandbox: Sandbox
    clock: MovedClock
    client: "subprocess.Popen[str]"
    owner: psycopg.Connection
    stages: dict[str, list[dict]] = field(default_factory=dict)

    def say(self, **told):
        """Have the client do something; what came of it."""
        self.client.stdin.write(json.dumps(told) + "\n")
        self.client.stdin.flush()
        return json.loads(self.client.stdout.readline())

    def value(self, query):
        return self.owner.execute(query).fetchone()[0]

    def go_to(self, instant):
        """Let time pass in which nothing happens; the client has a token again."""
        self.await_merge()
        self.clock.move_to(instant - MINUTE)
        self.say(renew=True)
        self.await_merge()
        self.clock.move_to(instant)

    def await_merge(self):
        until(lambda: not self.value(PENDING), what="the merge")

    def across(self, stage, ends):
        """Look people up until an instant has passed."""
        self.go_to(ends - BEFORE)
        self.say(load=True)
        self.await_answers(ends)
        self.stages[stage] = self.say(load=False)

    def back(self, stage, step):
        """Set the clock back while people are looked up."""
        self.say(load=True)
        self.await_answers(self.clock.now())
        self.clock.move_by(-step)
        until(lambda: self.say(since="") - self.say(since=self.later(step / 2)) > ENOUGH)
        self.stages[stage] = self.say(load=False)

    def later(self, step):
        return (self.clock.now() + step).isoformat()

    def await_answers(self, since):
        """Wait for enough answers to what was asked since an instant."""
        until(lambda: self.say(since=since.isoformat()) > ENOUGH, what="answers")

    def have_partitions(self):
        """Have the sequencer begin anew, and so look after partitions now, not in a minute."""
        with connect(self.sandbox.urls.sequencer, autocommit=True) as same_login:
            same_login.execute(CUT_OFF)
        until(
            lambda: self.value("SELECT to_regclass('audit.record_2027_01') IS NOT NULL"),
            what="January's partition",
        )

    def receipts(self, stage=None):
        """Record ids and leaf hashes of all answers, or of a stage's, in their order."""
        stages = self.stages if stage is None else (stage,)
        told = [RECEIPT.fullmatch(one["receipt"]) for name in stages for one in self.stages[name]]
        return {one[1]: base64.b64decode(one[2]) for one in told}

    def get(self, path):
        return self.say(method="GET", path=path)

    def published(self, year, path="checkpoint"):
        return self.sandbox.http.get(f"/log/{year}/{path}").content

    def keys(self, year):
        return [Verifier.parse(line) for line in self.published(year, "key").decode().splitlines()]


@pytest.fixture(scope="module")
def history():
    with open_folder() as folder:
        clock = MovedClock(folder)
        clock.move_to(NOON)
        with (
            moved_cluster(folder, clock) as urls,
            running_sandbox(families=1_000, urls=urls, **clock.environment) as sandbox,
            sandbox.owner() as owner,
        ):
            people = folder / "people.json"
            people.write_text(json.dumps(sandbox.samples["identifiers"]["found"]))
            client_file = sandbox.home / "demo" / "clients" / "demo-explorer.json"
            with subprocess.Popen(
                [sys.executable, "-m", "tests.moved_client", client_file, people],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | clock.environment,
            ) as client:
                made = History(sandbox, clock, client, owner)
                live_through(made)
                yield made
                client.stdin.close()
        clock.close()


def live_through(history):
    history.across("a month ends", MONTH_ENDS)
    history.have_partitions()
    history.across("a year ends", YEAR_ENDS)
    history.go_to(YEAR_ENDS + HOUR / 2)
    history.back("the clock goes back", HOUR)
    history.across("the year ends again", YEAR_ENDS)
    # What was recorded before the clock went back is found when it has come so far again.
    history.go_to(YEAR_ENDS + HOUR)
    until(lambda: history.value(COMPLETE_UNTIL) > YEAR_ENDS + HOUR, what="a complete log")


def test_no_read_is_refused(history):
    for stage, answers in history.stages.items():
        assert set(Counter(one["status"] for one in answers)) == {200}, stage
        assert len(answers) > ENOUGH, stage
        moments = [one["asked"] for one in answers]
        back = stage == "the clock goes back"
        assert (moments != sorted(moments)) == back, stage
        halves = {moment > YEAR_ENDS.isoformat() for moment in moments}
        assert len(halves) == (1 if stage == "a month ends" else 2), stage


def test_every_acknowledged_record_is_in_the_log(history):
    compared = compare(history.owner, history.receipts())
    assert (compared.missing, compared.different) == (0, 0), str(compared)
    assert compared.acknowledged == sum(map(len, history.stages.values()))


def test_records_lie_in_their_months_and_logs(history):
    rows = history.owner.execute(PLACES, (list(history.receipts()),)).fetchall()
    assert len(rows) == len(history.receipts())
    for _, table, at, epoch, _ in rows:
        assert table == f"audit.record_{at:%Y_%m}"
        assert epoch in {key_epoch(at), key_epoch(at - BOUNDARY)}
    seen = {(f"{at:%Y-%m}", year) for _, _, at, _, year in rows}
    # After the clock went back, the log of the year that had begun goes on.
    expected = {("2026-11", 2026), ("2026-12", 2026), ("2026-12", 2027), ("2027-01", 2027)}
    merged_while_the_year_turned = {("2027-01", 2026)}
    assert expected <= seen <= expected | merged_while_the_year_turned


def test_a_search_finds_a_person_across_months_and_years(history):
    nik, *_ = history.sandbox.samples["identifiers"]["found"]
    wanted = {
        one["receipt"][1:37]
        for answers in history.stages.values()
        for one in answers
        if orjson.loads(one["text"])["individual"]["nomor_induk_kependudukan"] == nik
    }
    found, cursor = set(), None
    while True:
        body = {"subject": {"nik": nik}, "from": "2026-11-01T00:00:00Z"}
        body |= {"cursor": cursor} if cursor else {}
        answer = history.say(method="POST", path="/v1/audit/search", body=body)
        assert answer["status"] == 200, answer["text"]
        page = orjson.loads(answer["text"])
        found |= {one["jti"] for one in page["records"] if one["op"] == "individuals.lookup"}
        cursor = page["next"]
        if cursor is None:
            break
    assert len(wanted) >= len(history.stages)
    assert found == wanted


def test_each_years_log_names_its_neighbour(history):
    leaves = history.owner.execute(ENDS).fetchall()
    last, first = (orjson.loads(leaf) for _, leaf in leaves)
    old, _ = open_checkpoint(history.published(2026), history.keys(2026))
    assert (last["op"], last["next_origin"]) == ("log.close", first["origin"])
    assert (last["origin"], last["next_key"]) == (old.origin, first["key"])
    assert (first["op"], first["previous"].encode()) == ("log.open", history.published(2026))
    assert history.sandbox.http.get("/log/checkpoint").content == history.published(2027)


@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
def test_proofs_hold_across(history, place):
    for stage in history.stages:
        name, digest = list(history.receipts(stage).items())[place]
        answer = history.get(f"/v1/audit/records/{name}/proof")
        assert answer["status"] == 200, answer["text"]
        file = ProofFile.parse(answer["text"].encode())
        year = int(read_note(file.checkpoint)[0].split("\n")[0].rpartition("/")[2])
        file.verify(history.keys(year))
        assert leaf_hash(file.extra) == digest
        if stage == "a month ends":
            assert year == 2026


def test_both_logs_verify_with_every_entry(history):
    origin = f"http://localhost:{history.sandbox.port}/log"
    verifier = history.sandbox.home / "demo" / "clients" / "demo-verifier.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cli.main", "audit", "verify", origin, "--json"),
            *("--client", verifier, "--state", history.sandbox.home / "verified"),
        ],
        env=os.environ | history.clock.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r'"origin": ".*/log/(\d+)"', done.stdout) == ["2026", "2027"]
    assert done.stdout.count('"entries": true') == 2
