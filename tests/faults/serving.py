"""A `dtsen serve` of a test's own beside the sandbox, over the same database, keys and issuer."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.faults.processes import SECONDS, lives, send, stopped, until, workers
from tests.sandbox import Sandbox, free_port

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("cli.main", "serve")


class Serving:
    """The server: its supervisor in a process group of its own, and the supervisor's workers."""

    def __init__(self, sandbox: Sandbox, *, build: str | None = None, workers: int = 2) -> None:
        self.port = free_port()
        self._program = PRODUCT if build is None else ("tests.faults.builds", build)
        self._log = sandbox.home / f"serve-{self.port}.log"
        self._count = workers
        self._settings = {
            "DTSEN_HOME": str(sandbox.home),
            "DTSEN_ISSUER": f"http://localhost:{sandbox.port}",
            "DTSEN_PORT": str(self.port),
            "DTSEN_METRICS_PORT": str(free_port()),
            "DTSEN_WORKERS": str(workers),
        }
        self._opened: list[HTTPConnection] = []
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start, and return when each worker answers."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._program],
                cwd=ROOT,
                env=os.environ | self._settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server is not ready:\n{self.said()[-3000:]}")
            time.sleep(0.05)  # another process starts; it sends no news

    def answers(self) -> bool:
        """Whether some worker is ready."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The workers' process ids; the server's own where it has one worker."""
        return workers(self.process.pid) if self._count > 1 else [self.process.pid]

    def await_workers(self) -> float:
        """Wait until there are as many as there should be; the seconds it took."""
        return until(lambda: len(self.workers()) == self._count, what="a new worker")

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

    def said(self) -> str:
        """What the server wrote."""
        return self._log.read_text(errors="replace")

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
        self._opened += made
        return made

    def end(self) -> None:
        """Interrupt it, and see that it ends."""
        for connection in self._opened:
            connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.kill_group()
                pytest.fail(f"the server did not end:\n{self.said()[-3000:]}")
        send(self.workers(), signal.SIGKILL)


@contextmanager
def serving(sandbox: Sandbox, *, build: str | None = None, workers: int = 2) -> Iterator[Serving]:
    """A server that is ready, and that has ended after the block."""
    with ExitStack() as stack:
        server = Serving(sandbox, build=build, workers=workers)
        server.start()
        stack.callback(server.end)
        yield server
