"""What docs/agencies/python.md shows, run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from dtsen.verifier.receipts import read_receipts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "agencies" / "python.md"


def test_the_example_runs_and_says_what_it_should(sandbox, tmp_path):
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / ".dtsen").symlink_to(sandbox.home)
    line = [sys.executable, "-c", example]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\D+ [1-5]\n", done.stdout)
    assert len(read_receipts((tmp_path / "receipts").read_text())) == 1
