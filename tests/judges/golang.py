"""The judge in Go, built from `judge.go` and the system's packages; installed first if missing.

Debian packages both the compiler and golang.org/x/mod as sources, so that no module is fetched.
A test that needs it fails where it cannot be had: it never passes unjudged.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packages import install

PACKAGES = ("golang-go", "golang-golang-x-mod-dev")
SOURCES = Path("/usr/share/gocode")
NEEDED = SOURCES / "src" / "golang.org" / "x" / "mod" / "sumdb" / "tlog"
PROGRAM = Path(__file__).with_name("judge.go")

Judge = Callable[..., subprocess.CompletedProcess[bytes]]


def ensure_go() -> str:
    """The path of `go`, after installing it and the judge's packages where we may."""
    if shutil.which("go") is None or not NEEDED.is_dir():
        install("The judge in Go", *PACKAGES)
    found = shutil.which("go")
    assert found is not None
    assert NEEDED.is_dir(), f"no golang.org/x/mod at {NEEDED}"
    return found


@pytest.fixture(scope="session")
def go_judge() -> Iterator[Judge]:
    """Runs the judge with words and standard input; it accepts (0) or refuses (1)."""
    go = ensure_go()
    with tempfile.TemporaryDirectory(prefix="dtsen-judge-") as name:
        program = Path(name) / "judge"
        built = subprocess.run(
            [go, "build", "-o", str(program), str(PROGRAM)],
            env={
                "PATH": os.environ["PATH"],
                "GOPATH": str(SOURCES),
                "GO111MODULE": "off",
                "GOCACHE": f"{name}/cache",
                "GOFLAGS": "",
                "CGO_ENABLED": "0",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if built.returncode:
            pytest.fail(f"The judge in Go cannot be built:\n{built.stderr}")

        def judge(*words: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
            command = [str(program), *map(str, words)]
            return subprocess.run(command, input=given, capture_output=True, check=False)

        yield judge
