"""Searching a year of access records, by everything that they are found by, and proving them.

Through `AccessLog`, as the API's workers do: the auditor's login, its statement timeout, the keys
of each month, a hundred records opened and checked against their leaves. Run as
`python -m bench.search`; part of `make bench`.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Annotated, Any

import asyncpg
import typer

from bench.choices import HOME, Home
from bench.installation import Installation, installation, say
from bench.ledger import (
    BASIS,
    HOT_OFFICER,
    HOT_PERSON,
    LARGEST,
    PEOPLE,
    RARE_BASIS,
    RARE_PERSON,
    family,
    fill,
    person,
)
from bench.results import Result, publish
from bench.rounds import Measured
from cli.context import keyring, settings
from dtsen.audit.publication import Publication
from dtsen.audit.reading import PublishedLog
from dtsen.audit.search import AccessLog
from dtsen.audit.statement import Filter
from dtsen.audit.stores import Directory
from dtsen.audit.viewer import Viewer
from dtsen.clock import Clock
from dtsen.database import open_pool
from dtsen.errors import Unavailable

PAGE = 100
TIMES = 40
DEEP = 20
"""Pages that are turned before a deep one is measured."""

Records = Annotated[int, typer.Option(min=12_000, help="Access records in twelve months.")]


def viewer(agency: str, role: str) -> Viewer:
    """Somebody with every right to the log's subjects that the role allows."""
    scopes = frozenset({"audit:read", "audit:subjects"})
    return Viewer(agency=agency, client="tolok-ukur", plan="p", role=role, scopes=scopes)


OVERSEER, AGENCY = viewer("pengawas", "pengawas"), viewer(LARGEST, "pengguna")


def questions(chance: Random, records: int) -> Iterator[tuple[str, Viewer, Callable[[], Filter]]]:
    """Each kind of search: its name, who asks, and one question of its kind after another."""
    week = timedelta(days=7)

    def some_week(**how: str) -> Filter:
        since = datetime.now(UTC) - timedelta(days=chance.randrange(40, 330))
        return Filter(since=since, until=since + week, **how)

    def at(**how: Any) -> Callable[[], Filter]:  # noqa: ANN401 - members of a filter, or what makes one
        return lambda: Filter(**{k: v() if callable(v) else v for k, v in how.items()})

    yield "newest of all", OVERSEER, at()
    yield "person", OVERSEER, at(subject=lambda: person(chance.randrange(PEOPLE)))
    yield "person in few records", OVERSEER, at(subject=RARE_PERSON)
    yield "person in no record", OVERSEER, at(subject="3374990101999999")
    yield "person in many records", OVERSEER, at(subject=HOT_PERSON)
    yield "person, by the agency itself", AGENCY, at(subject=HOT_PERSON)
    yield "family", OVERSEER, at(family=lambda: family(chance.randrange(PEOPLE)))
    yield (
        "officer",
        OVERSEER,
        at(agency=LARGEST, officer=lambda: f"petugas-{chance.randrange(1, 200)}"),
    )
    yield "officer in very many records", OVERSEER, at(agency=LARGEST, officer=HOT_OFFICER)
    yield (
        "case",
        OVERSEER,
        at(agency=LARGEST, case_ref=lambda: f"perkara-{chance.randrange(records // 4) * 4}"),
    )
    yield "agency", OVERSEER, at(agency=lambda: f"instansi-{chance.randrange(1, 40)}")
    yield "agency of most records", OVERSEER, at(agency=LARGEST)
    yield (
        "agency, purpose and week",
        OVERSEER,
        lambda: some_week(agency=LARGEST, purpose="TUJUAN-1"),
    )
    yield "agency of most records, rare outcome", AGENCY, at(outcome="partial")
    yield "client", OVERSEER, at(client=lambda: f"instansi-{chance.randrange(1, 40)}-1")
    yield "client of few records", OVERSEER, at(client=f"{LARGEST}-jarang")
    yield "purpose", OVERSEER, at(purpose="TUJUAN-1")
    yield "purpose of few records", OVERSEER, at(purpose="JARANG")
    yield "outcome of most records", OVERSEER, at(outcome="found")
    yield "outcome of few records", OVERSEER, at(outcome="partial")
    yield "outcome of none", OVERSEER, at(outcome="tidak-ada")
    yield "operation of few records", OVERSEER, at(operation="families.lookup")
    yield "legal basis", OVERSEER, at(legal_basis=BASIS)
    yield "legal basis of few records", OVERSEER, at(legal_basis=RARE_BASIS)
    yield "a week", OVERSEER, some_week


async def _time(times: int, ask: Callable[[], Coroutine[Any, Any, object]]) -> tuple[Measured, int]:
    """How long a question takes; how many were given up for taking too long."""
    took, lost = [], 0
    for _ in range(times):
        started = time.perf_counter()
        try:
            await ask()
        except Unavailable:
            lost += 1
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    rate = 1000 * len(took) / sum(took)
    return Measured(rate, took[len(took) // 2], took[len(took) * 99 // 100]), lost


async def _measure(found: Installation, publication: Publication, records: int) -> Result:
    pool = await open_pool(found.urls.auditor, name="auditor", size=2)
    log, published = AccessLog(pool, keyring(), Clock()), PublishedLog(publication, pool)
    chance = Random(1)  # noqa: S311 - the same questions each time
    series: dict[str, list[Measured]] = {}
    lost: dict[str, int] = {}
    try:
        for name, who, question in questions(chance, records):
            series[name], lost[name] = await _asked(log, who, question)
            say(f"{name}: p50 {series[name][0].p50:.1f} ms, p99 {series[name][0].p99:.1f} ms")
        deep = await _deep(log)
        series["deep page of the agency of most records"] = [deep]
        ids = await _some_ids(pool, chance, records)
        one, _ = await _time(len(ids), lambda: log.record(OVERSEER, ids.pop()))
        series["record id"] = [one]
        ids = await _some_ids(pool, chance, records)
        proof, _ = await _time(len(ids), lambda: _prove(log, published, ids.pop()))
        series["proof of a record"] = [proof]
    finally:
        await pool.close()
    facts: dict[str, object] = {"records": records}
    for name, (one,) in series.items():
        facts[f"{name}, ms (p50, p99)"] = f"{one.p50:.1f}, {one.p99:.1f}"
    facts |= {f"{name}: given up after 3 s, of {TIMES}": n for name, n in lost.items() if n}
    title = f"Searching {records:,} access records of twelve months"
    return Result("search", title, {"records": records, "page": PAGE}, series, [], facts)


async def _asked(
    log: AccessLog, who: Viewer, question: Callable[[], Filter]
) -> tuple[list[Measured], int]:
    slow, lost = await _time(2, lambda: log.search(who, question(), limit=PAGE))
    if slow.p50 > 1000:  # noqa: PLR2004 - a second: a few times tell as much
        return [slow], lost
    measured, lost = await _time(TIMES, lambda: log.search(who, question(), limit=PAGE))
    return [measured], lost


async def _deep(log: AccessLog) -> Measured:
    cursor = None
    for _ in range(DEEP):
        page = await log.search(OVERSEER, Filter(agency=LARGEST), limit=PAGE, cursor=cursor)
        cursor = page.next
    wanted = Filter(agency=LARGEST)
    measured, _ = await _time(
        TIMES, lambda: log.search(OVERSEER, wanted, limit=PAGE, cursor=cursor)
    )
    return measured


async def _some_ids(pool: asyncpg.Pool, chance: Random, records: int) -> list[Any]:
    places = [chance.randrange(records) for _ in range(TIMES * 5)]
    rows = await pool.fetch("SELECT record FROM audit.leaf WHERE index = ANY ($1)", places)
    return [row["record"] for row in rows]


async def _prove(log: AccessLog, published: PublishedLog, record: Any) -> bytes:  # noqa: ANN401 - an id
    place = await log.place(OVERSEER, record)
    if place is None:
        raise AssertionError("every record of the ledger is in its log")
    made = published.proof(place.year, place.index, place.leaf)
    if made is None:
        raise AssertionError("the whole log is published")
    return made


@contextmanager
def _publication() -> Iterator[Publication]:
    home = settings().home
    yield Publication(Directory(home / "log"), home / "log-guard")


def measure(found: Installation, records: int) -> Result:
    """Make a ledger beside whatever the log holds, and search it."""
    with _publication() as publication:
        fill(found.urls, keyring(), settings().key_directory, publication, records)
        return asyncio.run(_measure(found, publication, records))


def main(home: Home = HOME, records: Records = 4_000_000) -> None:
    """Measure searches alone."""
    with installation(home, 1000) as found:
        publish(measure(found, records))


if __name__ == "__main__":
    typer.run(main)
