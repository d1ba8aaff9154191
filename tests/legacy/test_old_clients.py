"""Programs of DTKS days against the DTKS-shaped service: plain shell with curl, and PHP.

Both stand in docs/agencies and use nothing but what is written there.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dtsen.releases.synth import EXAMPLE_NIKS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "agencies"
EXAMPLE_HOUSEHOLD = "3374990999000100"
CLIENT = "demo-dtks"


def program(name: str, package: str) -> str:
    """A program of the system, installed first if it is missing and we are root."""
    if shutil.which(name) is None:
        line = f"apt-get update && apt-get install --yes --no-install-recommends {package}"
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.fail(f"{name} is missing. Install it and run again: sudo sh -c '{line}'")
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(f"{name} is missing, and `{line}` fails here:\n{done.stderr[-1000:]}")
    found = shutil.which(name)
    assert found is not None
    return found


@pytest.fixture(params=["shell", "php"])
def ask(request, sandbox):
    """How a program asks: its exit code and what it printed."""
    if request.param == "shell":
        program("curl", "curl")
        command = [program("sh", "dash"), DOCS / "dtks.sh"]
    else:
        command = [program("php", "php-cli"), DOCS / "dtks.php"]
    base = f"http://127.0.0.1:{sandbox.port}"

    def run(what, token=None, **body):
        arguments = [base, token or sandbox.token(CLIENT), what, json.dumps(body)]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout

    return run


def test_the_example_family_is_found_by_each_of_its_numbers(ask):
    for what, body in (
        ("rumah-tangga", {"id_dtks": EXAMPLE_HOUSEHOLD}),
        ("rumah-tangga", {"id_dtks": "33.74.990.999.000100"}),
        ("art", {"id_art": EXAMPLE_HOUSEHOLD + "01"}),
        ("art", {"nik": EXAMPLE_NIKS[0]}),
    ):
        code, said = ask(what, **body)
        assert code == 0, said
        assert EXAMPLE_NIKS[0] in said


def test_whoever_is_not_listed_is_told_why(ask, sandbox):
    identifiers = sandbox.samples["identifiers"]
    for case, reason in (
        ("not_found", "not_found"),
        ("no_decile", "no_decile"),
        ("above_threshold", "above_threshold"),
    ):
        code, said = ask("art", nik=identifiers[case][0])
        assert (code, reason in said) == (1, True), (case, said)
    code, said = ask("rumah-tangga", id_dtks="3374990999100")
    assert (code, "invalid_format" in said) == (1, True)


def test_no_answer_is_never_taken_for_not_listed(ask):
    assert ask("art", token="no" + "ne", nik=EXAMPLE_NIKS[0])[0] == 2
    assert ask("art")[0] == 2
