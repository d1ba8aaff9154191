"""Resolving DTKS ids through the whole pipeline, one at a time and by the thousand.

Beside it a bare join by indexed keys on one connection, which follows no replacement, knows no
agreement and records nothing: what an agency would get from a table of its own. Run as
`python -m bench.legacy`.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from json import loads
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import typer

from bench.agencies import PURPOSE
from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import Installation, installation, serving
from bench.results import Result, publish
from bench.rounds import Measured, interleave, paired
from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from cli.context import keyring, settings
from dtsen.client.tokens import fetch_token
from dtsen.database import connect
from dtsen.disclosure import agreements
from dtsen.releases.layout import dtks_table, individual_table

CLIENT = "bench-dtks"
BATCH = 1_000
PICKED = 50_000
RESOLVE = "/v1/legacy/dtks/resolve"

_AGREEMENT = f"""\
agreement: PKS-BENCH-DTKS/2026
version: 1
agency: {{code: {CLIENT}, name: Tolok Ukur DTKS, role: pengguna}}
valid: {{from: 2026-01-01, to: 2099-12-31}}
purposes:
  {PURPOSE}:
    legal_basis: [Permen PPN 7/2025]
    operations: [legacy:resolve]
    variables: [anggota.nomor_induk_kependudukan]
quota: {{requests: {{per_second: 1000000}}, people: {{per_day: 2000000000}}}}
tokens: {{binding: none, exceptions: []}}
request_signature: none
retention: P1D
contacts: [{{role: dpo, email: dpo@tolok-ukur.example.id}}]
dpia: DPIA-TU
clients: [{CLIENT}]
"""
_PICK = """
SELECT DISTINCT d.id_art_dtks FROM {dtks} d WHERE d.id_art_dtks IS NOT NULL
ORDER BY d.id_art_dtks LIMIT %s
"""
_JOIN = """
SELECT d.id_art_dtks, i.nomor_induk_kependudukan FROM {dtks} d
JOIN {individual} i ON i.nomor_induk_kependudukan = d.nomor_induk_kependudukan
WHERE d.id_art_dtks = ANY (%s::text[])
"""


def batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Batches of ids without end."""
    starts = itertools.cycle(range(0, len(ids) - size + 1, size))
    return (ids[start : start + size] for start in starts)


def driven(
    ask: Callable[[Sequence[str]], None], ids: Sequence[str], size: int, seconds: float
) -> Measured:
    """Ask one batch after another for so long; ids a second, and milliseconds a call."""
    took: list[float] = []
    begin = time.monotonic()
    for batch in batches(ids, size):
        started = time.monotonic()
        if started - begin > seconds:
            break
        ask(batch)
        took.append((time.monotonic() - started) * 1000)
    took.sort()
    rate = len(took) * size / (time.monotonic() - begin)
    return Measured(rate, took[len(took) // 2], took[len(took) * 99 // 100])


def registered(found: Installation) -> Path:
    """The file of a client that may resolve, known before any server starts."""
    file = found.clients / f"{CLIENT}.json"
    if not file.exists():
        with connect(found.urls.owner, autocommit=True) as connection:
            agreements.apply(connection, keyring(), _AGREEMENT)
            terms = ClientTerms(
                CLIENT, CLIENT, "benchmark", settings().issuer, "legacy:resolve", (PURPOSE,)
            )
            add_with_new_key(connection, terms, Algorithm.ES256, file)
    return file


@contextmanager
def asking(file: Path) -> Iterator[Callable[[Sequence[str]], None]]:
    """Resolve over HTTP as a client of its own, on one connection."""
    client = loads(file.read_bytes())
    with httpx2.Client(base_url=f"http://127.0.0.1:{settings().port}", timeout=30) as http:
        token: dict[str, Any] = {"at": float("-inf"), "text": ""}

        def ask(batch: Sequence[str]) -> None:
            if time.monotonic() - token["at"] > 120:  # noqa: PLR2004 - seconds, of 300
                token.update(at=time.monotonic(), text=fetch_token(client, http=http))
            ids = [{"scheme": "id_art_dtks", "value": one} for one in batch]
            headers = {"Authorization": f"Bearer {token['text']}"}
            http.post(RESOLVE, json={"identifiers": ids}, headers=headers).raise_for_status()

        yield ask


def joining(connection: psycopg.Connection, ordinal: int) -> Callable[[Sequence[str]], None]:
    """The bare join, prepared."""
    text = _JOIN.format(dtks=dtks_table(ordinal), individual=individual_table(ordinal))

    def ask(batch: Sequence[str]) -> None:
        connection.execute(text, (list(batch),), prepare=True).fetchall()

    return ask


def measure(found: Installation, rounds: int, seconds: float) -> Result:
    """Both ways, single and by the thousand, in interleaved rounds."""
    file = registered(found)
    with serving(), asking(file) as resolve, connect(found.urls.api, autocommit=True) as direct:
        with connect(found.urls.owner) as connection:
            query = _PICK.format(dtks=dtks_table(found.ordinal))
            ids = [row[0] for row in connection.execute(query, (PICKED,))]
        join = joining(direct, found.ordinal)
        ways = {"resolve": resolve, "join": join}
        configurations = {
            f"{name} {size}": partial(driven, ask, ids, size, seconds)
            for name, ask in ways.items()
            for size in (1, BATCH)
        }
        interleave("warming up", configurations, 1)
        series = interleave("resolve", configurations, rounds)
    return Result(
        "legacy",
        "Resolving DTKS ids, one connection, one worker",
        {"rounds": rounds, "seconds": seconds, "ids": len(ids), "batch": BATCH},
        series,
        [
            paired("one id a call / bare join", series, "resolve 1", "join 1"),
            paired("1,000 ids a call / bare join", series, f"resolve {BATCH}", f"join {BATCH}"),
        ],
    )


def main(
    home: Home = HOME, people: People = 100_000, rounds: Rounds = 5, seconds: Seconds = 2
) -> None:
    """Measure resolving beside a bare join by key."""
    with installation(home, people) as found:
        publish(measure(found, rounds, seconds))


if __name__ == "__main__":
    typer.run(main)
