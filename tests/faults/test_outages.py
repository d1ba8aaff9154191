"""PostgreSQL that stands still, a full queue, clients that leave: told in time, over by itself."""

import asyncio
import json
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from dtsen.client.errors import TokenRefused
from dtsen.client.tokens import fetch_token
from dtsen.disclosure.gate import DEADLINE_SECONDS, IN_FLIGHT, MOST_IN_A_BATCH, MOST_WAITING
from tests.campaigns import Campaign
from tests.faults.builds import SMALL_QUEUE
from tests.faults.load import Load, Request, ask, raw
from tests.faults.processes import lives, send, stopped, unread, until
from tests.faults.scene import AGENCY, Scene
from tests.faults.serving import serving

STILL_SECONDS = 15
SLACK_SECONDS = 3
"""What two busy cores may take beyond a deadline."""
BEYOND = IN_FLIGHT * MOST_IN_A_BATCH + 100
"""More askers than the queue and those in flight."""
LEAVERS = 20

WAITING = """
SELECT count(*) FROM pg_locks WHERE relation = 'audit.pending'::regclass AND NOT granted
"""
RECORDS = """
SELECT typ, count(*) FROM audit.record
WHERE (agency, client, op) = (%s, %s, 'individuals.lookup') GROUP BY typ
"""


@contextmanager
def no_record_written(scene: Scene) -> Iterator[None]:
    """Hold every recording statement, while authority can be read as ever."""
    with scene.sandbox.owner() as connection, connection.transaction():
        connection.execute("LOCK TABLE audit.pending IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_postgresql_that_stands_still_is_a_503_within_the_deadline(
    scene: Scene, campaign: Campaign
):
    client_file = scene.client("still")
    token, niks = scene.token(client_file), cycle(scene.niks())
    as_of = cycle(({}, {}, {"as_of": "2026-Q3"}))

    def choose() -> Request:
        return Request(token, {"nik": next(niks), "fields": ["nama"], **next(as_of)})

    server = scene.server
    with Load(server.connections(12), choose) as load:
        load.await_each(5, lambda answer: answer.status == 200)
        with stopped(scene.postgres()):
            resuming = time.monotonic() + STILL_SECONDS
            # A worker that starts meanwhile must not take the whole server down with it.
            killed = server.workers()[:1]
            send(killed, signal.SIGKILL)
            until(lambda: not any(map(lives, killed)), what="a killed worker's end")
            told, seconds = refused_token(scene, client_file)
            time.sleep(max(0, resuming - time.monotonic()))
        resumed = time.monotonic()
        load.await_each(2, lambda answer: answer.status == 200 and answer.began > resumed)
        server.await_workers()
        assert scene.server.supervisor == server.supervisor
        answers = load.take()
    statuses = Counter(answer.status for answer in answers)
    longest = max(answer.ended - answer.began for answer in answers if answer.status)
    back = min(a.ended for a in answers if a.status == 200 and a.began > resumed) - resumed
    campaign.tell(
        f"PostgreSQL stopped for {STILL_SECONDS} s under load, and a worker killed meanwhile",
        promise=f"503 within {DEADLINE_SECONDS:.0f} s; service resumes by itself",
        observed=f"longest answer {longest:.1f} s, token refused in {seconds:.1f} s, first answer"
        f" {back:.1f} s after the end; by status: {dict(statuses)}",
        count=len(answers),
    )
    assert set(statuses) == {0, 200, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)
    assert longest < DEADLINE_SECONDS + SLACK_SECONDS
    assert told.startswith("temporarily_unavailable")
    assert seconds < DEADLINE_SECONDS + SLACK_SECONDS


def refused_token(scene: Scene, client_file: Path) -> tuple[str, float]:
    """What the authorization server says meanwhile, and after how many seconds."""
    started = time.monotonic()
    # Connections of its own: of those kept, one may lead to a worker that was killed.
    with scene.sandbox.stranger() as http, pytest.raises(TokenRefused) as refusal:
        fetch_token(json.loads(client_file.read_text()), http=http)
    return str(refusal.value), time.monotonic() - started


def test_a_full_queue_refuses_at_once_and_recovers(scene: Scene, campaign: Campaign):
    places = campaign.size(capped=SMALL_QUEUE, full=MOST_WAITING)
    build = None if campaign.full else "waits_for_few"
    token, nik = scene.token(scene.client("queue")), scene.niks(most=1)[0]
    request = Request(token, {"nik": nik, "fields": ["nama"]})
    with many_files(), serving(scene.sandbox, build=build, count=1) as server:
        answered = asyncio.run(crowd(scene, server.port, request, places + BEYOND))
        (connection,) = server.connections(1)
        after = ask(connection, request)
        connection.close()
    statuses = Counter(told.status for told in answered)
    refused = [told for told in answered if told.status == 503]
    first = min(told.seconds for told in refused)
    campaign.tell(
        f"{places + BEYOND} ask while nothing can be recorded; the queue has {places} places",
        promise="who finds it full gets 503 with Retry-After at once; then service as before",
        observed=f"by status: {dict(statuses)}, the first 503 after {first:.1f} s; then 200",
        count=len(answered),
    )
    assert set(statuses) == {200, 503}
    assert first < DEADLINE_SECONDS / 2
    assert all(told.when_to_come_again for told in refused)
    assert after.status == 200


@dataclass(frozen=True)
class Told:
    """What one of a crowd was told."""

    status: int
    when_to_come_again: bool
    seconds: float


async def crowd(scene: Scene, port: int, request: Request, size: int) -> list[Told]:
    """All ask at once, and nothing is recorded until the first of them is refused."""
    refused = asyncio.Event()

    async def one() -> Told:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw(request))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        writer.close()
        told = Told(int(head.split()[1]), b"retry-after: " in head, time.monotonic() - began)
        if told.status == 503:
            refused.set()
        return told

    with no_record_written(scene):
        asking = [asyncio.create_task(one()) for _ in range(size)]
        await asyncio.wait_for(refused.wait(), 2 * DEADLINE_SECONDS)
    return await asyncio.gather(*asking)


@contextmanager
def many_files() -> Iterator[None]:
    """As many open files as this account may have, for us and for whom we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_clients_that_leave_before_the_answer_leave_a_record(scene: Scene, campaign: Campaign):
    token, nik = scene.token(scene.client("leaving")), scene.niks(most=1)[0]
    request = raw(Request(token, {"nik": nik, "fields": ["nama"]}))

    def recorded() -> dict[str, int]:
        return dict(scene.connection.execute(RECORDS, (AGENCY, "leaving")).fetchall())

    port = scene.server.port
    with no_record_written(scene):
        leaving = [socket.create_connection(("127.0.0.1", port)) for _ in range(LEAVERS)]
        for one in leaving:
            one.sendall(request)
        until(lambda: unread(port) == 0 and scene.value(WAITING) > 0)
        for one in leaving:
            one.close()
    until(lambda: recorded().get("read", 0) >= LEAVERS)
    for _ in range(LEAVERS):
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(request)
    until(lambda: sum(recorded().values()) >= 2 * LEAVERS)
    told = recorded()
    campaign.tell(
        "clients that disconnect: while the record is written, or right after asking",
        promise="each leaves exactly one record",
        observed=f"records by kind: {told}",
        count=2 * LEAVERS,
    )
    assert sum(told.values()) == 2 * LEAVERS
