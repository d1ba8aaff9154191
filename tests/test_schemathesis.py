"""schemathesis against the running sandbox: all checks, all phases, every documented status.

What it sends is capped here; `make faults` sends more, under a new seed each time.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.documented import DOCUMENT, FILE, faults_of
from tests.examples import operations
from tests.parties import Terms, agency
from tests.reaching import Caller

PHASES = ("examples", "coverage", "fuzzing", "stateful")
CAPPED, FULL = 20, 1_500
SEED = "20261124"


@dataclass(frozen=True)
class Run:
    """What one run said, and counted from its report: answers by operation, phase and status."""

    output: str
    exit_code: int
    answers: Counter[tuple[str, str, str]]
    checks: Counter[str]


@pytest.fixture(scope="module")
def client(sandbox):
    with agency(sandbox, Terms(joined="kementerian-demo")) as one:
        yield one


@pytest.fixture(scope="module")
def run(sandbox, campaign, client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemathesis")
    report = folder / "report.ndjson"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(FILE), "--no-color"),
        *("--url", f"http://127.0.0.1:{sandbox.port}", "--checks", "all"),
        *("--phases", ",".join(PHASES), "--generation-database", "none"),
        *("--max-examples", str(campaign.size(capped=CAPPED, full=FULL))),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
        *(() if campaign.full else ("--seed", SEED)),
    ]
    hooks = {
        "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks",
        "SCHEMATHESIS_PURPOSE": Terms().purposes[0],
        "SCHEMATHESIS_CLIENT": str(sandbox.home / "demo" / "clients" / f"{client}.json"),
        "PYTHONPATH": str(FILE.parent),
    }
    done = subprocess.run(
        command, env=os.environ | hooks, cwd=folder, capture_output=True, text=True, check=False
    )
    return Run(done.stdout + done.stderr, done.returncode, *count(report))


def count(report: Path):
    names = {(method, path): name for name, (method, path, _) in operations(DOCUMENT).items()}
    answers, checks = Counter(), Counter()
    with report.open() as lines:
        for line in lines:
            finished = json.loads(line).get("ScenarioFinished")
            recorder = finished["recorder"] if finished else {}
            for case_id, case in recorder.get("cases", {}).items():
                sent = case["value"]["method"], case["value"]["path"]
                response = recorder["interactions"][case_id]["response"]
                if sent in names and response is not None:
                    answers[names[sent], finished["phase"], str(response["status_code"])] += 1
            for done in recorder.get("checks", {}).values():
                checks.update(check["name"] for check in done)
    return answers, checks


def test_schemathesis_finds_nothing(run):
    assert run.exit_code == 0, run.output[-10_000:]
    assert "WARNINGS" not in run.output, run.output[-10_000:]


def test_every_check_ran_in_every_phase(run):
    listed = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", "--help"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    offered = re.search(r"--checks\s.*?values: (.*?)\]", listed, re.DOTALL)
    assert offered is not None
    wanted = set(offered[1].replace(",", " ").split()) - {"all"}
    assert len(wanted) >= 14
    assert wanted - run.checks.keys() == set()
    reached = {(name, phase) for name, phase, _ in run.answers}
    for name, (_, _, operation) in operations(DOCUMENT).items():
        assert (name, "coverage") in reached
        assert (name, "fuzzing") in reached
        if "requestBody" in operation:
            assert (name, "examples") in reached
    assert {phase for _, phase in reached} == set(PHASES)


def test_every_documented_status_of_every_operation_is_reached(sandbox, campaign, client, run):
    """By schemathesis or by a request made for it; the table says how often by which."""
    found = Counter((name, status) for name, _, status in run.answers.elements())
    made = Counter()
    with agency(sandbox, Terms(per_second=1)) as small:
        for name, status, answer in Caller(sandbox, client, small).reach_all():
            _, _, operation = operations(DOCUMENT)[name]
            assert (str(answer.status_code), faults_of(operation, answer)) == (status, []), name
            made[name, status] += 1
    for name, (_, _, operation) in operations(DOCUMENT).items():
        statuses = sorted(operation["responses"])
        told = (f"{status}: {found[name, status]}+{made[name, status]}" for status in statuses)
        total = sum(found[name, status] + made[name, status] for status in statuses)
        promise = f"answers {', '.join(statuses)} and nothing else"
        observed = f"{'  '.join(told)} (schemathesis+deliberate)"
        campaign.tell(name, promise=promise, observed=observed, count=total)
        assert all(found[name, status] + made[name, status] for status in statuses)
    undocumented = {
        (name, status)
        for name, status in found
        if status not in operations(DOCUMENT)[name][2]["responses"]
    }
    assert undocumented == set()
