"""A `dtsen serve` of a test's own beside the sandbox, over the same database, keys and issuer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.faults.processes import SECONDS, lives, stopped, until, workers
from tests.sandbox import Sandbox, free_port, wait_until_ready

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("cli.main", "serve")


class Server:
    """A server with several workers, whoever started it."""

    def __init__(self, port: int, supervisor: int, count: int = 2) -> None:
        self.port = port
        self.supervisor = supervisor
        self._count = count

    def workers(self) -> list[int]:
        """The workers' process ids; the server's own where it has one worker."""
        return workers(self.supervisor) if self._count > 1 else [self.supervisor]

    def await_workers(self) -> float:
        """Wait until there are as many as there should be; the seconds it took."""
        return until(lambda: len(self.workers()) == self._count, what="a new worker")

    def connections(self, count: int) -> Sequence[HTTPConnection]:
        """Open connections, spread evenly: the others stand still while one worker accepts."""
        made = []
        every = self.workers()
        for number in range(count):
            with stopped(pid for pid in every if pid != every[number % len(every)]):
                connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
                connection.request("GET", "/healthz")
                assert connection.getresponse().read() == b"ok\n"
            made.append(connection)
        return made


class Serving(Server):
    """A server of a test's own, in a process group of its own."""

    def __init__(self, sandbox: Sandbox, *, build: str | None = None, count: int = 2) -> None:
        super().__init__(free_port(), 0, count)
        self._program = PRODUCT if build is None else ("tests.faults.builds", build)
        self._log = sandbox.home / f"serve-{self.port}.log"
        self._settings = {
            "DTSEN_HOME": str(sandbox.home),
            "DTSEN_ISSUER": f"http://localhost:{sandbox.port}",
            "DTSEN_PORT": str(self.port),
            "DTSEN_METRICS_PORT": str(free_port()),
            "DTSEN_WORKERS": str(count),
        }
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start, and return when it answers."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._program],
                cwd=ROOT,
                env=os.environ | self._settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.supervisor = self.process.pid
        wait_until_ready(self.process, self.port, self._log)

    def kill_group(self) -> None:
        """End all of it at once, as the kernel does when memory runs out."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_supervisor(self) -> float:
        """End the supervisor alone; the seconds until its workers have ended, too."""
        orphans = self.workers()
        self.process.kill()
        self.process.wait()
        return until(lambda: not any(map(lives, orphans)), what="the end of the orphans")

    def end(self) -> None:
        """Interrupt it, and see that it ends."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_group()
            pytest.fail(f"the server did not end:\n{self._log.read_text()[-3000:]}")


@contextmanager
def serving(sandbox: Sandbox, *, build: str | None = None, count: int = 2) -> Iterator[Serving]:
    """A server that is ready, and that has ended after the block."""
    with ExitStack() as stack:
        server = Serving(sandbox, build=build, count=count)
        server.start()
        stack.callback(server.end)
        yield server
