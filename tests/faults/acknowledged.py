"""The client of `tests.faults.client`, its file of acknowledged records, and the log beside it."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.processes import SECONDS, until
from tests.faults.serving import ROOT, Serving

RECEIPT = re.compile(r'"([0-9a-f-]{36})";leaf=:([A-Za-z0-9+/]{43}=):')
LINE = len(f'"{"0" * 36}";leaf=:{"0" * 44}:\n')


@dataclass(frozen=True)
class Acknowledging:
    """A running client."""

    file: Path
    process: "subprocess.Popen[str]"

    def count(self) -> int:
        """How many records it holds as acknowledged."""
        return self.file.stat().st_size // LINE if self.file.exists() else 0

    def await_more(self, count: int, *, after: str = "nothing") -> float:
        """Wait for so many more; the seconds it took. `after`: what was killed before."""
        enough = self.count() + count

        def enough_came() -> bool:
            assert self.process.poll() is None, "the client ended"
            return self.count() >= enough

        return until(enough_came, what=f"an acknowledgement, after {after},")

    def end(self) -> Mapping[str, int]:
        """End it; how many answers of each status it had (0: the connection failed)."""
        told, _ = self.process.communicate(timeout=2 * SECONDS)
        return json.loads(told)

    def receipts(self) -> dict[str, bytes]:
        """Record ids with their leaf hashes."""
        lines = self.file.read_text().split("\n")[:-1]
        found = {}
        for line in lines:
            receipt = RECEIPT.fullmatch(line)
            assert receipt is not None, "a receipt has not its form"
            found[receipt[1]] = base64.b64decode(receipt[2])
        assert len(found) == len(lines), "a record was acknowledged twice"
        return found


@contextmanager
def acknowledging(
    server: Serving, client_file: Path, niks: list[str], name: str
) -> Iterator[Acknowledging]:
    """A client that asks a server about people while the block lasts, or until its end."""
    people = client_file.with_name(f"{name}.niks")
    people.write_text(json.dumps(niks))
    file = client_file.with_name(f"{name}.acknowledged")
    command = (server.port, client_file, people, file)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.client", *map(str, command)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Acknowledging(file, process)
        finally:
            process.kill()


@dataclass(frozen=True)
class Comparison:
    """What the log does not hold of what was acknowledged, or holds with another leaf."""

    acknowledged: int
    missing: int
    different: int

    def __str__(self) -> str:
        return (
            f"{self.missing} of {self.acknowledged} acknowledged records missing, "
            f"{self.different} with another leaf"
        )


def compare(connection: "psycopg.Connection[Any]", receipts: Mapping[str, bytes]) -> Comparison:
    """Look every acknowledged record up in the log."""
    held: dict[str, bytes] = {}
    ids = list(receipts)
    for start in range(0, len(ids), 1000):
        rows = connection.execute(
            "SELECT id::text, leaf FROM audit.record WHERE id = ANY (%s::uuid[])",
            (ids[start : start + 1000],),
        )
        held |= {name: hashlib.sha256(b"\x00" + leaf).digest() for name, leaf in rows}
    return Comparison(
        acknowledged=len(receipts),
        missing=len(receipts.keys() - held.keys()),
        different=sum(held[name] != receipts[name] for name in held),
    )
