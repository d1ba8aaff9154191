"""The checkers of the house find what they are for: each rule is broken once, on purpose."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("api", "auth", "cli", "deploy", "dtsen", "schemas")
BROKEN = [
    ("dtsen/clock.py", "import fastapi", "The domain knows nothing of HTTP"),
    ("schemas/text.py", "import asyncpg", "The vocabulary does no I/O"),
    ("dtsen/tlog/merkle.py", "import httpx2", "Log formats do no I/O"),
    ("dtsen/individuals.py", "import auth.guard", "Arrows point down"),
    ("auth/guard.py", "import api.parts", "Arrows point down"),
    ("dtsen/audit/record.py", "import dtsen.disclosure.gate", "Inside the domain"),
    ("api/call.py", "import dtsen.audit.tables", "Tables are their own"),
    ("dtsen/client/session.py", "import dtsen.settings", "An agency's client carries nothing"),
    ("cli/context.py", "import fastapi", "Web frameworks stay at the face"),
]


@pytest.fixture
def copy(tmp_path):
    """The packages and their rules, to be broken."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_house_as_it_stands_keeps_every_rule(copy):
    assert lint(copy).returncode == 0


@pytest.mark.parametrize(("file", "line", "rule"), BROKEN)
def test_an_import_that_breaks_a_rule_is_found(copy, file, line, rule):
    broken = copy / file
    broken.write_text(broken.read_text() + f"\n{line}\n")
    found = lint(copy)
    assert found.returncode == 1
    assert any(rule in told and "BROKEN" in told for told in found.stdout.splitlines())


def test_a_module_without_a_layer_is_found(copy):
    (copy / "dtsen" / "stray.py").write_text('"""Stray."""\n')
    found = lint(copy)
    assert found.returncode == 1
    assert "stray" in found.stdout
