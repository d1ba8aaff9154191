"""Orderly ends: what is in flight is answered; and a sandbox does not outlive its server."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from http.client import HTTPConnection

from tests.campaigns import Campaign
from tests.faults.load import Answer, Request, ask
from tests.faults.processes import SECONDS, lives, unread, until
from tests.faults.scene import Scene
from tests.faults.serving import serving
from tests.faults.test_outages import WAITING, no_record_written

ASKERS = 40
LONGER_SECONDS = 1
"""How much longer the work in flight takes once the workers have begun to end."""


def test_sigterm_answers_what_is_in_flight(scene: Scene, campaign: Campaign):
    token, niks = scene.token(scene.client("ending")), scene.niks(most=ASKERS)
    answers: list[Answer] = []
    with serving(scene.sandbox) as server:
        idle, busy = server.connections(2), server.connections(ASKERS)
        askers = [
            threading.Thread(target=lambda *of: answers.append(ask(*of)), args=(one, request))
            for one, request in zip(
                busy, (Request(token, {"nik": nik}) for nik in niks), strict=True
            )
        ]
        with no_record_written(scene):
            for asker in askers:
                asker.start()
            until(lambda: unread(server.port) == 0 and scene.value(WAITING) > 0)
            ending = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            for connection in idle:
                await_close(connection)
            refused = is_refused(server.port)
            time.sleep(LONGER_SECONDS)
        for asker in askers:
            asker.join(SECONDS)
        for connection in (*idle, *busy):
            connection.close()
        code = server.process.wait(SECONDS)
        seconds = time.monotonic() - ending
    statuses = Counter(answer.status for answer in answers)
    campaign.tell(
        "SIGTERM with requests in flight on both workers",
        promise="each is recorded and answered, nobody else is let in, then the server ends",
        observed=f"by status: {dict(statuses)}; ended with {code} after {seconds:.1f} s;"
        f" new connections meanwhile {'refused' if refused else 'accepted'}",
        count=ASKERS,
    )
    assert refused
    assert statuses == {200: ASKERS}
    assert all("dtsen-access-record" in answer.headers for answer in answers)
    assert code == 0


def is_refused(port: int) -> bool:
    """Whether nobody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def await_close(connection: HTTPConnection) -> None:
    """Wait until the server closes an idle connection, the first thing that a worker does."""
    waiting: socket.socket = connection.sock
    assert waiting.recv(1) == b""


def test_a_sandbox_whose_server_was_killed_ends_and_says_so(scene: Scene, campaign: Campaign):
    sandbox = scene.sandbox.process
    server = scene.server
    workers = server.workers()
    started = time.monotonic()
    try:
        os.kill(server.supervisor, signal.SIGKILL)
        code = sandbox.wait(SECONDS)
        seconds = time.monotonic() - started
        left = [pid for pid in workers if lives(pid)]
    finally:
        scene.start_sandbox()
    campaign.tell(
        "kill -9 of the sandbox's own server",
        promise="the sandbox ends, with a word, and leaves no process",
        observed=f"ended with {code} after {seconds:.1f} s, {len(left)} processes left",
        count=1,
    )
    assert code == 1
    assert left == []
    assert "ended unasked" in scene.sandbox.log.read_text()
