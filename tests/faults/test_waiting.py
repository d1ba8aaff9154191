"""Waits have an end: of slow callers, of statements, of budgets, of the auditor."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from api.protocol import BODY_SECONDS, HEAD_SECONDS
from auth.budgets import DEADLINE_SECONDS as BUDGET_SECONDS
from dtsen.audit.search import PATIENCE_SECONDS
from dtsen.disclosure.gate import DEADLINE_SECONDS, STATEMENT_SECONDS
from tests.campaigns import Campaign
from tests.faults.builds import IMPATIENT_SECONDS
from tests.faults.load import Answer, Request, ask
from tests.faults.processes import stopped
from tests.faults.scene import Scene
from tests.faults.serving import Server, serving
from tests.faults.test_outages import SLACK_SECONDS, no_record_written

ASKERS = 8
HEAD = b"POST /v1/individuals/lookup HTTP/1.1\r\nHost: localhost\r\n"
BODY = HEAD + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
DRIP_SECONDS = 0.2


def drip(port: int, first: bytes, drop: bytes) -> float:
    """Send a beginning, then drop by drop; the seconds until the server has had enough."""
    with socket.create_connection(("127.0.0.1", port)) as caller:
        started = time.monotonic()
        caller.settimeout(DRIP_SECONDS)
        try:
            caller.sendall(first)
            while time.monotonic() - started < 3 * (HEAD_SECONDS + BODY_SECONDS):
                caller.sendall(drop)
                try:
                    if caller.recv(65_536) == b"":
                        break
                except TimeoutError:
                    continue
        except OSError:
            pass
        return time.monotonic() - started


def test_slow_callers_are_cut_off_and_nobody_waits_for_them(scene: Scene, campaign: Campaign):
    build, head, body = None, HEAD_SECONDS, BODY_SECONDS
    if not campaign.full:
        build, head, body = "is_impatient", IMPATIENT_SECONDS, IMPATIENT_SECONDS
    token, nik = scene.token(scene.client("slow")), scene.niks(most=1)[0]
    authorized = BODY.replace(b"\r\n\r\n", f"\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    kinds = {
        "nothing at all": (b"", b"", head),
        "a head, drop by drop": (HEAD, b"X-A: b\r\n", head),
        "a body, drop by drop": (authorized, b" ", body),
        "a body that nobody reads, drop by drop": (BODY, b" ", body),
    }
    with serving(scene.sandbox, build=build) as server, ThreadPoolExecutor(len(kinds)) as callers:
        drips = {
            kind: callers.submit(drip, server.port, first, drop)
            for kind, (first, drop, _) in kinds.items()
        }
        (connection,) = server.connections(1)
        meanwhile = ask(connection, Request(token, {"nik": nik, "fields": ["nama"]}))
        connection.close()
        seconds = {kind: one.result() for kind, one in drips.items()}
    campaign.tell(
        "callers that send slowly: " + ", ".join(kinds),
        promise=f"cut off {head} s after a head began, {body} s after it ended; others are served",
        observed=", ".join(f"{one:.1f} s" for one in seconds.values()),
        count=len(kinds),
    )
    assert meanwhile.status == 200
    for kind, (*_, bound) in kinds.items():
        assert bound - 0.5 < seconds[kind] < bound + SLACK_SECONDS, kind


def all_at_once(server: Server, request: Request) -> list[Answer]:
    connections = server.connections(ASKERS)
    with ThreadPoolExecutor(ASKERS) as callers:
        answers = list(callers.map(lambda one: ask(one, request), connections))
    for connection in connections:
        connection.close()
    return answers


def judge(campaign: Campaign, scenario: str, answers: list[Answer], bound: float) -> None:
    longest = max(answer.ended - answer.began for answer in answers)
    statuses = Counter(answer.status for answer in answers)
    campaign.tell(
        scenario,
        promise=f"503 with Retry-After within {bound:.0f} s, then service as before",
        observed=f"longest answer {longest:.1f} s; by status: {dict(statuses)}",
        count=len(answers),
    )
    assert set(statuses) == {503}
    assert all("retry-after" in answer.headers for answer in answers)
    assert longest < bound + SLACK_SECONDS


def test_a_statement_that_hangs_is_given_up(scene: Scene, campaign: Campaign):
    token, nik = scene.token(scene.client("hanging")), scene.niks(most=1)[0]
    request = Request(token, {"nik": nik, "fields": ["nama"]})
    with no_record_written(scene):
        answers = all_at_once(scene.server, request)
    after = all_at_once(scene.server, request)
    judge(campaign, "the recording statement hangs", answers, 2 * STATEMENT_SECONDS)
    assert 2 * STATEMENT_SECONDS < DEADLINE_SECONDS
    assert {answer.status for answer in after} == {200}


@contextmanager
def no_lease_drawn(scene: Scene) -> Iterator[None]:
    with scene.sandbox.owner() as connection, connection.transaction():
        connection.execute("LOCK TABLE disclosure.budget IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_budget_that_cannot_be_drawn_on_is_not_waited_for(scene: Scene, campaign: Campaign):
    first, second = scene.client("drawing"), scene.client("drawing-first")
    scene.token(second)
    token, nik = scene.fresh_token(first), scene.niks(most=1)[0]
    request = Request(token, {"nik": nik, "fields": ["nama"]})
    with no_lease_drawn(scene):
        answers = all_at_once(scene.server, request)
    after = all_at_once(scene.server, request)
    judge(campaign, "no lease on a budget can be drawn", answers, BUDGET_SECONDS)
    assert {answer.status for answer in after} == {200}


def test_an_auditor_waits_no_longer_for_a_postgresql_that_stands_still(
    scene: Scene, campaign: Campaign
):
    token = scene.sandbox.token("demo-explorer")
    request = Request(token, {}, path="/v1/audit/search")
    (connection,) = scene.server.connections(1)
    assert ask(connection, request).status == 200
    with scene.sandbox.owner() as owner, owner.transaction():
        owner.execute("LOCK TABLE audit.record IN ACCESS EXCLUSIVE MODE")
        held = ask(connection, request)
    backends = scene.backends("dtsen-auditor")
    with stopped(backends):
        standing = ask(connection, request)
    after = ask(connection, request)
    connection.close()
    seconds = [round(one.ended - one.began, 1) for one in (held, standing)]
    campaign.tell(
        "an auditor's search meets a lock, then a backend that stands still",
        promise=f"503 within {PATIENCE_SECONDS + DEADLINE_SECONDS:.0f} s; then answers again",
        observed=f"{held.status} and {standing.status} after {seconds} s; then {after.status}",
        count=2,
    )
    assert backends
    assert (held.status, standing.status, after.status) == (503, 503, 200), json.loads(after.body)
    assert max(seconds) < PATIENCE_SECONDS + DEADLINE_SECONDS + SLACK_SECONDS
