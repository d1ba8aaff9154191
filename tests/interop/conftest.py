"""Libraries of npm, installed from the committed lock."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packages import program

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """A folder with the libraries, and the scripts that use them."""
    folder = tmp_path_factory.mktemp("interop")
    for file in (*HERE.glob("*.mjs"), *HERE.glob("package*.json")):
        shutil.copy(file, folder)
    line = [program("npm", "npm nodejs"), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
