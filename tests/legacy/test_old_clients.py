"""Programs of DTKS days against the DTKS-shaped service: plain shell with curl, and PHP.

Both stand in docs/agencies and use nothing but what is written there.
"""

import json
import subprocess
from pathlib import Path

import pytest

from dtsen.releases.synth import EXAMPLE_NIKS
from tests.packages import program

DOCS = Path(__file__).resolve().parents[2] / "docs" / "agencies"
EXAMPLE_HOUSEHOLD = "3374990999000100"
CLIENT = "demo-dtks"


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
