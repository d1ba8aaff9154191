"""kill -9 of everything under load: no acknowledged record is ever missing from the log."""

import signal
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import psycopg

from tests.campaigns import Campaign
from tests.embedded_cluster import postmaster, superuser_url
from tests.faults.acknowledged import acknowledging, compare
from tests.faults.processes import nurseries, send, until
from tests.faults.scene import Scene
from tests.faults.serving import Serving, serving

FEWEST = 5_000
SETTLED = 20
"""Acknowledgements after which those that were on their way at the kill are counted."""
MOST_KILLS = 6
"""Within which the control must be caught."""
PROMISE = "every acknowledged record is in the log, with the leaf that was acknowledged"

GATE_BACKENDS = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'dtsen-gate'
ORDER BY (state = 'active') DESC, state_change DESC
"""


class Strikes:
    """What is killed; each returns once whatever must be started again by hand has been."""

    def __init__(self, scene: Scene, server: Serving) -> None:
        self._scene = scene
        self._server = server

    def every(self) -> Mapping[str, Callable[[], None]]:
        return {
            "one worker": self.worker,
            "a PostgreSQL backend": self.backend,
            "a backend, by pg_terminate_backend": self.terminated,
            "all workers": self.workers,
            "the supervisor alone": self.supervisor,
            "the postmaster": self.postmaster,
            "the postmaster and all workers": self.postmaster_and_workers,
            "the server's whole group": self.group,
            "the sandbox, PostgreSQL's keeper with it": self.sandbox,
            "the same, and PostgreSQL's port is taken meanwhile": self.sandbox_and_port,
            "all workers, and the process that they are forked from": self.nursery_and_workers,
        }

    def worker(self) -> None:
        send(self._server.workers()[:1], signal.SIGKILL)

    def workers(self) -> None:
        send(self._server.workers(), signal.SIGKILL)

    def backend(self) -> None:
        send([self._backend()], signal.SIGKILL)

    def terminated(self) -> None:
        victim = self._backend()
        with psycopg.connect(superuser_url(self._scene.sandbox.home)) as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", (victim,))

    def supervisor(self) -> None:
        self._server.kill_supervisor()
        self._server.start()

    def postmaster(self) -> None:
        send([postmaster(self._scene.sandbox.home)], signal.SIGKILL)

    def postmaster_and_workers(self) -> None:
        send([postmaster(self._scene.sandbox.home), *self._server.workers()], signal.SIGKILL)

    def group(self) -> None:
        self._server.kill_group()
        self._server.start()

    def sandbox(self) -> None:
        self._scene.kill_sandbox()
        self._scene.start_sandbox()

    def sandbox_and_port(self) -> None:
        """PostgreSQL comes back elsewhere; the server that outlived it must find it."""
        self._scene.kill_sandbox()
        port = urlsplit(self._scene.sandbox.urls.api).port
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            until(lambda: binds(stranger, port), what="a free port")
            stranger.listen()
            self._scene.start_sandbox()

    def nursery_and_workers(self) -> None:
        workers = self._server.workers()
        send([*nurseries(self._server.supervisor), *workers], signal.SIGKILL)

    def _backend(self) -> int:
        with psycopg.connect(superuser_url(self._scene.sandbox.home)) as connection:
            row = connection.execute(GATE_BACKENDS).fetchone()
        assert row is not None
        return int(row[0])


def binds(stranger: socket.socket, port: int | None) -> bool:
    """Whether a stranger gets the port of a PostgreSQL that was just killed."""
    try:
        stranger.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_no_kill_takes_an_acknowledged_record(scene: Scene, campaign: Campaign):
    client_file = scene.client("kills")
    waits: dict[str, list[float]] = defaultdict(list)
    with (
        serving(scene.sandbox) as server,
        acknowledging(server, client_file, scene.niks(), "kills") as client,
    ):
        strikes = Strikes(scene, server).every()
        between, last = FEWEST // len(strikes) + 1, "nothing"
        for _ in range(campaign.size(capped=1, full=10)):
            for what, strike in strikes.items():
                client.await_more(between, after=last)
                strike()
                waits[what].append(client.await_more(SETTLED, after=what))
                server.await_workers()
                last = what
        statuses = client.end()
        compared = compare(scene.connection, client.receipts())
    for what, seconds in waits.items():
        campaign.tell(
            f"kill -9 of {what}, under load",
            promise="answers go on, or come back by themselves",
            observed=f"the next {SETTLED} came within {max(seconds):.1f} s",
            count=len(seconds),
        )
    campaign.tell(
        "kill -9 of everything, under load",
        promise=PROMISE,
        observed=f"{compared}; answers by status: {statuses}",
        count=sum(map(len, waits.values())),
    )
    assert compared.acknowledged >= FEWEST
    assert compared.missing == 0
    assert compared.different == 0
    assert set(statuses) <= {"0", "200", "503"}


def test_a_build_that_answers_before_the_commit_is_caught(scene: Scene, campaign: Campaign):
    client_file = scene.client("kills-control")
    with (
        serving(scene.sandbox, build="answers_early") as server,
        acknowledging(server, client_file, scene.niks(), "kills-control") as client,
    ):
        kills = 0
        while kills < MOST_KILLS:
            kills += 1
            client.await_more(100)
            send(server.workers(), signal.SIGKILL)
            acknowledged = client.receipts()
            client.await_more(SETTLED)
            compared = compare(scene.connection, acknowledged)
            if compared.missing:
                break
    campaign.tell(
        "control: a build that answers before the commit, its workers killed",
        promise="the same comparison catches it",
        observed=str(compared),
        count=kills,
    )
    assert compared.missing > 0
