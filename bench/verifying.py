"""How fast a log is verified, and what a proof costs.

The baseline hashes the same leaves into one root and looks at nothing else. Run as
`python -m bench.verifying`.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.choices import Rounds
from bench.results import Result, publish
from bench.rounds import Measured, interleave, paired
from dtsen.audit.record import RecordKeys, make_leaf, new_record_id
from dtsen.clock import key_epoch
from dtsen.keys import Keyring
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.merkle import inclusion_path, leaf_hash, root_of
from dtsen.tlog.notes import Signer, sign_note
from dtsen.tlog.proof import ProofFile
from dtsen.tlog.tiles import Edge, bundles_between, join_entries, tile_reader
from dtsen.verifier.checking import Bundles
from dtsen.verifier.memory import Memory
from dtsen.verifier.source import Folder
from dtsen.verifier.verification import Trust, verify

LEAVES = 100_000
PROOFS = 500
ORIGIN = "bench.example/log/2026"


def leaves_of(folder: Path, count: int) -> list[bytes]:
    """Leaves as the gate makes them, the first of which opens the log."""
    now = datetime.now(UTC)
    keyring = Keyring(folder / "keys")
    keyring.ensure(now)
    keys = RecordKeys(keyring, key_epoch(now))
    clear: dict[str, object] = {
        "typ": "read",
        "op": "individuals.lookup",
        "outcome": "found",
        "status": 200,
        "iat": now.isoformat(timespec="milliseconds"),
    }
    made = [make_leaf(keys, new_record_id(number), clear, {}).content for number in range(1, count)]
    opening = {
        **clear,
        "typ": "log",
        "op": "log.open",
        "origin": ORIGIN,
        "key": str(SIGNER.verifier),
    }
    return [make_leaf(keys, new_record_id(0), opening, {}).content, *made]


SIGNER = Signer(ORIGIN, Ed25519PrivateKey.generate())


def write_log(folder: Path, leaves: Sequence[bytes]) -> bytes:
    """Publish a log with its entries into a folder; its checkpoint."""
    edge = Edge()
    tiles = edge.append([leaf_hash(leaf) for leaf in leaves]) + edge.partial()
    bundles = [
        (tile, join_entries(leaves[tile.index * 256 : tile.index * 256 + tile.width]))
        for tile in bundles_between(0, len(leaves))
    ]
    for tile, content in (*tiles, *bundles):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    text = Checkpoint(ORIGIN, edge.size, edge.root()).text
    note = sign_note(text, [SIGNER.sign(text)])
    (folder / "checkpoint").write_bytes(note)
    return note


def timed(work: Callable[[], object], things: int) -> Measured:
    """How many things a second some work does."""
    started = time.perf_counter()
    work()
    return Measured(things / (time.perf_counter() - started))


def each(work: Callable[[int], object], numbers: Sequence[int]) -> Measured:
    """How long some work takes for each of some numbers."""
    took = []
    for number in numbers:
        started = time.perf_counter()
        work(number)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return Measured(1000 * len(took) / sum(took), took[len(took) // 2], took[len(took) * 99 // 100])


def measure(rounds: int) -> Result:
    """Verify one log again and again, and prove its entries."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        leaves = leaves_of(folder, LEAVES)
        note = write_log(folder / "log", leaves)
        source, trust = Folder(folder / "log"), Trust([SIGNER.verifier])
        numbers = range(0, LEAVES, LEAVES // PROOFS)

        def prove(index: int) -> ProofFile:
            read = tile_reader(lambda tile: source.read(tile.path), LEAVES)
            return ProofFile(leaves[index], index, inclusion_path(index, LEAVES, read), note)

        proofs = {index: bytes(prove(index)) for index in numbers}

        def judge(index: int) -> None:
            ProofFile.parse(proofs[index]).verify(trust.keys)

        def whole(*, entries: bool) -> None:
            memory = Memory(folder / "remembered")
            verify(source, memory, trust, entries=Bundles(source) if entries else None)

        series = interleave(
            "verifying the log",
            {
                "hashing alone": partial(
                    timed, lambda: root_of([leaf_hash(leaf) for leaf in leaves]), LEAVES
                ),
                "entries and hashes": partial(timed, partial(whole, entries=True), LEAVES),
                "hashes": partial(timed, partial(whole, entries=False), LEAVES),
                "making a proof": partial(each, prove, numbers),
                "checking a proof": partial(each, judge, numbers),
            },
            rounds,
        )
    facts = {
        f"{what}, ms (p50)": round(median(one.p50 for one in series[what]), 3)
        for what in ("making a proof", "checking a proof")
    }
    facts |= {
        f"{what} verified a second": round(median(one.rate for one in series[what]))
        for what in ("entries and hashes", "hashes")
    }
    return Result(
        "verifying",
        "Verifying the log",
        {"leaves": LEAVES, "proofs": len(numbers), "rounds": rounds},
        series,
        [
            paired(f"{what} to hashing alone", series, what, "hashing alone")
            for what in ("entries and hashes", "hashes")
        ],
        facts,
    )


def main(rounds: Rounds = 5) -> None:
    """Measure and write bench/results/verifying.json."""
    publish(measure(rounds))


if __name__ == "__main__":
    typer.run(main)
