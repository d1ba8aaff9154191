"""Programs that tests need from the system's package manager, installed where we may."""

import os
import shutil
import subprocess

import pytest

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def program(name: str, package: str) -> str:
    """Where a program is, installed first if it is missing and we are root."""
    found = shutil.which(name, path=PATH)
    if found is not None:
        return found
    line = f"apt-get update && apt-get install --yes --no-install-recommends {package}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.fail(f"{name} is missing. Install it and run again: sudo sh -c '{line}'")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["/bin/sh", "-c", line], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return program(name, package)
