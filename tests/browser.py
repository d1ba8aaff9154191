"""Chromium of the system's packages, without a head."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = "chromium"
LINE = f"apt-get update && apt-get install --yes --no-install-recommends {PROGRAM}"


def chromium() -> str:
    """The browser, installed first if it is missing and we are root."""
    found = shutil.which(PROGRAM)
    if found is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.fail(f"Chromium is missing. Install it and run again: sudo sh -c '{LINE}'")
    done = subprocess.run(
        ["/bin/sh", "-c", LINE],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"`{LINE}` fails here:\n{done.stderr[-1000:]}")
    return chromium()


def shown(url: str, profile: Path) -> str:
    """The document that a browser made of a page."""
    done = subprocess.run(
        [
            *(chromium(), "--headless", "--no-sandbox", "--disable-gpu"),
            *(f"--user-data-dir={profile}", "--dump-dom", url),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout
