"""Chromium of the system's packages, without a head."""

import subprocess
from pathlib import Path

from tests.packages import program

PROGRAM = "chromium"


def chromium() -> str:
    """The browser, installed first if it is missing and we are root."""
    return program(PROGRAM, PROGRAM)


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
