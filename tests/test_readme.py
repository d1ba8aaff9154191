"""The README's commands, pasted into a shell beside a running sandbox, answer as it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
PASTED = [
    line
    for block in re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("dtsen ")
]


@pytest.fixture
def shell(sandbox, tmp_path):
    (tmp_path / ".dtsen").symlink_to(sandbox.home)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def paste(line: str) -> str:
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", line],
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return paste


def without_ids(text: str) -> object:
    return json.loads(re.sub(r'"([ik])1-[A-Za-z0-9_-]+"', r'"\g<1>1"', text))


def test_there_are_three_commands_to_paste():
    assert len(PASTED) == 3


def test_the_first_prints_a_token(shell):
    assert re.fullmatch(r"eyJ[\w-]+\.[\w-]+\.[\w-]+\n", shell(PASTED[0]))


def test_the_second_answers_what_the_readme_prints(shell):
    told = next(line for line in README.splitlines() if line.startswith('{"release"'))
    head, _, body = shell(PASTED[1]).partition("\n\n")
    assert without_ids(body) == without_ids(told)
    printed = README.partition("HTTP/1.1 200 OK\n")[2].partition("\n\n")[0]
    names = {line.partition(":")[0] for line in printed.splitlines()}
    assert names <= {line.partition(":")[0] for line in head.splitlines()}


def test_the_third_shows_what_the_readme_prints(shell):
    rows = re.findall(r"^│ (\S+) +│ (.+?) +│$", README, re.MULTILINE)
    shown = dict(re.findall(r"^│ (\S+) +│ (.+?) +│$", shell(PASTED[2]), re.MULTILINE))
    assert len(rows) > 5
    for name, value in rows:
        if name != "id":
            assert shown[name] == value
