"""Durable records a second with the tree growing beside them, and how long merging takes.

The baseline inserts the same rows, as many at once, into a table of the same columns and keys, and
nothing else: no check, no note of what is pending, no tree. Run as `python -m bench.recording`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import cycle
from statistics import median
from uuid import UUID

import asyncpg
import typer

from bench.choices import HOME, Home, People, Rounds, Seconds
from bench.installation import Installation, installation
from bench.processes import cpu_seconds
from bench.results import Result, publish
from bench.rounds import Measured, interleave, paired
from cli.context import keyring
from cli.processes import child
from dtsen.audit.record import RecordKeys, make_leaf, new_record_id
from dtsen.clock import Clock, key_epoch
from dtsen.database import connect
from dtsen.disclosure.recording import Entry, Standing, record

GOAL = 0.5
IN_A_BATCH = 200
"""As many as the gate records at once."""
WRITERS = 4
"""Two workers with two batches in flight each."""
PACE = 10_000
"""Records a second of the paced load: the goal."""
DIFFERENT = 1_000
PEOPLE = 3

_COLUMNS = (
    "id, recorded_at, key_epoch, typ, op, outcome, status, agency, client, purpose, agreement,"
    " agreement_version, release, people, subjects, families, officer, case_ref, leaf, disclosures"
)
_TABLE = """
DROP TABLE IF EXISTS audit.bench;
CREATE TABLE audit.bench (LIKE audit.record);
ALTER TABLE audit.bench ADD PRIMARY KEY (recorded_at, id);
CREATE INDEX ON audit.bench (id);
CREATE INDEX ON audit.bench (agency, recorded_at, id);
"""
_INSERT = f"""
INSERT INTO audit.bench ({_COLUMNS})
SELECT id, clock_timestamp(), key_epoch, typ, op, outcome, status, agency, client, purpose, NULL,
    NULL, release, people, subjects, families, officer, case_ref, leaf, disclosures
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::integer[], $12::bytea[], $13::bytea[], $14::bytea[],
    $15::bytea[], $16::bytea[], $17::bytea[]) AS r (id, key_epoch, typ, op, outcome, status, agency,
    client, purpose, release, people, subjects, families, officer, case_ref, leaf, disclosures)
"""  # noqa: S608 - names of this file
_RAW = (
    *("id", "key_epoch", "typ", "op", "outcome", "status", "agency", "client", "purpose"),
    *("release", "people", "subjects", "families", "officer", "case_ref", "leaf", "disclosures"),
)
_WAITING = "SELECT count(*) FROM audit.pending"
_DELAYS = """
SELECT percentile_disc(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY c.signed_at - l.recorded_at)
FROM audit.leaf l CROSS JOIN LATERAL (
    SELECT signed_at FROM audit.checkpoint k
    WHERE k.year = l.year AND k.size > l.index ORDER BY k.size LIMIT 1) c
WHERE l.recorded_at >= %s
"""


def measure(found: Installation, rounds: int, seconds: float) -> Result:
    """Write records in interleaved rounds: raw, recorded alone, recorded and merged."""
    made = entries(DIFFERENT)
    with connect(found.urls.owner, autocommit=True) as connection:
        connection.execute(_TABLE)
        connection.execute("GRANT INSERT ON audit.bench TO dtsen_api")
    delays: list[Mapping[str, float]] = []
    paced: list[Mapping[str, float]] = []
    configurations: dict[str, Callable[[], Measured]] = {
        "raw inserts": partial(_write, found, made, seconds, _raw),
        "recorded": partial(_write, found, made, seconds, _recorded),
        "recorded and merged": partial(_merged, found, made, seconds, delays, None),
        "paced and merged": partial(_merged, found, made, seconds, paced, PACE),
    }
    series = interleave("records", configurations, rounds)
    ratios = [
        paired("recorded and merged / raw inserts", series, *("recorded and merged", "raw inserts"),
               goal=GOAL),
        paired("recorded / raw inserts", series, "recorded", "raw inserts"),
    ]  # fmt: skip
    facts = {
        f"{load}: {name}": round(median(one[name] for one in told), 1)
        for load, told in (("as fast as they come", delays), (f"{PACE} a second", paced))
        for name in told[0]
    }
    parameters = {"rounds": rounds, "seconds": seconds, "batch": IN_A_BATCH, "writers": WRITERS}
    return Result("recording", "Durable records a second", parameters, series, ratios, facts)


def entries(count: int) -> list[Entry]:
    """So many finished records, as the gate makes them."""
    now = Clock().now()
    keys = RecordKeys(keyring(), key_epoch(now))
    return [_entry(keys, number) for number in range(count)]


def _entry(keys: RecordKeys, number: int) -> Entry:
    record_id = new_record_id(number)
    niks = [f"337499{number * PEOPLE + one:010d}" for one in range(PEOPLE)]
    clear: dict[str, object] = {
        "typ": "read",
        "op": "individuals.lookup",
        "outcome": "found",
        "status": 200,
        "agency": f"agency-{number % 20}",
        "client": f"client-{number % 50}",
        "purpose": "UJI",
        "ds": "2026-Q3",
        "n": PEOPLE,
        "plan": "p" * 43,
        "legal_basis": ["Permen PPN 7/2025"],
    }
    personal = {"subject": niks, "fields": ["anggota.nama", "anggota.tanggal_lahir"], "q": None}
    leaf = make_leaf(keys, record_id, clear, personal)
    return Entry(
        id=record_id,
        standing=_standing(number % 20, number % 50),
        key_epoch=keys.epoch,
        outcome="found",
        status=200,
        leaf=leaf.content,
        disclosures=leaf.disclosures,
        people=PEOPLE,
        subjects=keys.packed("nik", niks),
        release="2026-Q3",
    )


@cache
def _standing(agency: int, client: int) -> Standing:
    """One object for all records of a mandate, as the gate has it."""
    return Standing(
        typ="read",
        op="individuals.lookup",
        client=f"client-{client}",
        agency=f"agency-{agency}",
        purpose="UJI",
    )


async def _raw(connection: asyncpg.Connection, batch: Sequence[Entry]) -> None:
    columns = ([_value(one, name) for one in batch] for name in _RAW)
    await connection.execute(_INSERT, *columns)


def _value(entry: Entry, name: str) -> object:
    return getattr(entry.standing if name in Standing._fields else entry, name)


async def _recorded(connection: asyncpg.Connection, batch: Sequence[Entry]) -> None:
    await record(connection, batch)


def _write(
    found: Installation,
    made: Sequence[Entry],
    seconds: float,
    write: Callable[[asyncpg.Connection, Sequence[Entry]], object],
    pace: int | None = None,
) -> Measured:
    url = found.urls.api
    written, took, latencies = asyncio.run(_drive(url, made, seconds, write, pace))
    ordered = sorted(latencies)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    return Measured(written / took, p50, p99)


async def _drive(
    url: str,
    made: Sequence[Entry],
    seconds: float,
    write: Callable[..., object],
    pace: int | None,
) -> tuple[int, float, list[float]]:
    latencies: list[float] = []
    started = time.monotonic()

    async def keep_on() -> int:
        connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "on"})
        source, written = cycle(made), 0
        while time.monotonic() - started < seconds:
            batch = [next(source)._replace(id=_fresh()) for _ in range(IN_A_BATCH)]
            begun = time.monotonic()
            await write(connection, batch)  # type: ignore[misc]
            latencies.append(time.monotonic() - begun)
            written += len(batch)
            if pace is not None:
                due = started + written * WRITERS / pace
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        await connection.close()
        return written

    counts = await asyncio.gather(*(keep_on() for _ in range(WRITERS)))
    return sum(counts), time.monotonic() - started, latencies


def _fresh() -> UUID:
    return new_record_id(int(Clock().now().timestamp() * 1000))


def _merged(
    found: Installation,
    made: Sequence[Entry],
    seconds: float,
    delays: list[Mapping[str, float]],
    pace: int | None,
) -> Measured:
    """With a sequencer beside the writers; how long each record waited for its checkpoint."""
    with connect(found.urls.owner, autocommit=True) as connection, child(("sequencer",)) as process:
        _wait(lambda: connection.execute(_WAITING).fetchone() == (0,))
        (begun,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
        before = cpu_seconds(process.pid)
        measured = _write(found, made, seconds, _recorded, pace)
        (left,) = connection.execute(_WAITING).fetchone() or (0,)
        _wait(lambda: connection.execute(_WAITING).fetchone() == (0,))
        spent = cpu_seconds(process.pid) - before
        (told,) = connection.execute(_DELAYS, (begun,)).fetchone() or ((),)
    p50, p99, worst = (one.total_seconds() * 1000 for one in told)
    cpu = spent * 1e6 / (measured.rate * seconds)
    delays.append(
        {
            "merge delay p50 (ms)": p50,
            "merge delay p99 (ms)": p99,
            "merge delay, worst (ms)": worst,
            "left to merge at the end (records)": left,
            "CPU of the sequencer (µs a record)": cpu,
        }
    )
    return Measured(measured.rate, measured.p50, measured.p99, {"sequencer": cpu})


def _wait(done: Callable[[], bool]) -> None:
    while not done():
        time.sleep(0.05)  # the sequencer is another process; it sends no news


def main(
    home: Home = HOME, people: People = 10_000, rounds: Rounds = 5, seconds: Seconds = 4
) -> None:
    """Measure recording alone."""
    with installation(home, people) as found:
        publish(measure(found, rounds, seconds))


if __name__ == "__main__":
    typer.run(main)
