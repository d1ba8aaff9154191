"""Prepared primary-key reads by pgbench: what PostgreSQL alone can do with the same table."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.wrk import Driven
from dtsen.embedded.binaries import INSTALLATION, site_packages
from dtsen.releases.layout import individual_table

PICKED = 4096

READ = """\
SELECT nama, tanggal_lahir, jenis_kelamin, keluarga_desil_nasional, record_state
FROM {table} WHERE nomor_induk_kependudukan = :nik;
"""


def write_script(path: Path, ordinal: int, niks: Sequence[str]) -> None:
    """A script that reads one of so many people: pgbench has no lists, so a tree of CASE."""
    read = READ.format(table=individual_table(ordinal))
    path.write_text(f"\\set n random(0, {len(niks) - 1})\n\\set nik {_tree(niks, 0)}\n{read}")


def _tree(niks: Sequence[str], first: int) -> str:
    if len(niks) == 1:
        return niks[0]
    half = len(niks) // 2
    low, high = _tree(niks[:half], first), _tree(niks[half:], first + half)
    return f"CASE WHEN :n < {first + half} THEN {low} ELSE {high} END"


def run(url: str, script: Path, *, connections: int, seconds: float) -> Driven:
    """Read for some seconds on so many connections, over TCP, as the API's login.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    parts = urlsplit(url)
    done = subprocess.run(  # noqa: S603 - the wheel's program
        [
            *(site_packages() / INSTALLATION / "bin" / "pgbench", "--no-vacuum"),
            *("--protocol=prepared", f"--client={connections}", "--jobs=1"),
            *(f"--time={round(seconds)}", f"--file={script}"),
            *(f"--host={parts.hostname}", f"--port={parts.port}"),
            *(f"--username={unquote(parts.username or '')}", parts.path.lstrip("/")),
        ],
        env=os.environ | {"PGPASSWORD": unquote(parts.password or "")},
        check=True,
        capture_output=True,
        text=True,
    )
    requests = int(_found(r"transactions actually processed: (\d+)", done.stdout))
    rate = float(_found(r"tps = ([\d.]+) \(without", done.stdout))
    average = float(_found(r"latency average = ([\d.]+) ms", done.stdout))
    return Driven(requests, requests / rate, average, float("nan"))


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"pgbench did not say {pattern}")
    return found[1]
