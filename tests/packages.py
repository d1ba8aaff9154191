"""What tests need from the system's package manager, installed where we may."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def program(name: str, package: str) -> str:
    """Where a program is, installed first if it is missing and we are root."""
    found = shutil.which(name, path=PATH)
    if found is None:
        install(name, package)
        found = shutil.which(name, path=PATH)
    assert found is not None, f"{package} brings no {name}"
    return found


def install(what: str, *packages: str, hint: str = "") -> None:
    """Install packages for what is missing; where that cannot be, fail with the line to run."""
    line = f"apt-get update && apt-get install --yes --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.fail(f"{what} is missing. Install it and run again: sudo sh -c '{line}'")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with Path(__file__).open() as here:
        fcntl.flock(here, fcntl.LOCK_EX)  # two workers may want something at once
        done = subprocess.run(
            ["/bin/sh", "-c", line], env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        pytest.fail(f"{what} is missing, and `{line}` fails here. {hint}\n{done.stderr[-1000:]}")
