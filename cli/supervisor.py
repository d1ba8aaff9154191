"""The workers of `dtsen serve`: started, watched, started anew, ended in order.

uvicorn's own supervisor asks one worker after the other, and waits for each: one that hangs, or
takes long to die, keeps all others from being started again. Here the kernel tells of every death,
and a worker that is alive says so by itself.

Workers are forked from one process that has imported everything (multiprocessing's fork server), so
that a new one answers within a moment and the first ones do not read the same code side by side.
"""

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess

from uvicorn.config import STARTUP_FAILURE

from api.worker import DRAIN_SECONDS, work

log = logging.getLogger(__name__)

NURSERY = "cli.nursery"
SILENCE_SECONDS = 30
"""A worker that has not beaten for so long hangs, or never came up, and is killed."""
AGAIN_SECONDS = 1
"""How long a worker that never served is left dead, lest one that cannot start be started without
end; and how often an end is asked for."""
END_SECONDS = DRAIN_SECONDS + 10
"""In which workers must have answered, returned what they hold and ended."""


@dataclass(slots=True)
class _Worker:
    process: ForkServerProcess
    descriptor: int
    beats: Connection
    heard: float
    served: bool = False

    def kill(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, number)

    def bury(self) -> int | None:
        """Let go of a dead worker; its exit code, where that is known."""
        self.process.join(AGAIN_SECONDS)
        code = self.process.exitcode
        os.close(self.descriptor)
        self.beats.close()
        return code


class Supervisor:
    """The workers of one server. One at a time in a process, in its main thread."""

    def __init__(self, application: str, sockets: Sequence[socket.socket], count: int) -> None:
        self._application = application
        self._sockets = sockets
        self._count = count
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([NURSERY])
        self._workers: dict[int, _Worker] = {}
        self._due = [0.0] * count
        self._any_served = False
        self._news = _signals()

    def run(self) -> int:
        """Keep all workers running until interrupted or asked to end; the exit code of it."""
        while not self._asked_to_end():
            self._start_due()
            self._await_news()
            if not self._replace_dead():
                log.error("no worker can start")
                self._end()
                return 1
            self._kill_silent()
        self._end()
        return 0

    def _asked_to_end(self) -> bool:
        with suppress(BlockingIOError):
            return bool(set(os.read(self._news, 64)) & {signal.SIGINT, signal.SIGTERM})
        return False

    def _start_due(self) -> None:
        now = time.monotonic()
        for due in [due for due in self._due if due <= now]:
            self._due.remove(due)
            self._start()

    def _start(self) -> None:
        beats, beating = multiprocessing.Pipe(duplex=False)
        process = self._context.Process(
            target=work, args=(self._application, self._count, self._sockets, beating)
        )
        try:
            process.start()
        except (OSError, EOFError) as error:
            # What they are forked from was killed at this very moment; the next try finds another.
            log.warning("a worker could not be forked: %s", type(error).__name__)
            beats.close()
            self._due.append(time.monotonic() + AGAIN_SECONDS)
            return
        finally:
            beating.close()
        if process.pid is None:
            raise RuntimeError("a started process has an id")
        descriptor = os.pidfd_open(process.pid)
        self._workers[descriptor] = _Worker(process, descriptor, beats, time.monotonic())

    def _await_news(self) -> None:
        """Wait for a signal, a death or a beat, a second at most."""
        beats = [worker.beats for worker in self._workers.values()]
        sources: list[int | Connection] = [self._news, *self._workers, *beats]
        told = wait(sources, AGAIN_SECONDS)
        for worker in self._workers.values():
            if worker.beats in told:
                worker.heard = time.monotonic()
                with suppress(OSError):
                    worker.served |= bool(os.read(worker.beats.fileno(), 64))
                self._any_served |= worker.served

    def _replace_dead(self) -> bool:
        """Have dead workers started again; whether there is any sense in it."""
        for descriptor in self._dead():
            worker = self._workers.pop(descriptor)
            code = worker.bury()
            log.warning("worker %s ended with %s", worker.process.pid, code)
            if code == STARTUP_FAILURE and not self._any_served:
                return False
            self._due.append(time.monotonic() + (0 if worker.served else AGAIN_SECONDS))
        return True

    def _dead(self) -> list[int]:
        return [one for one in wait(list(self._workers), 0) if isinstance(one, int)]

    def _kill_silent(self) -> None:
        for worker in self._workers.values():
            if time.monotonic() - worker.heard > SILENCE_SECONDS:
                log.error("worker %s hangs and is killed", worker.process.pid)
                worker.kill(signal.SIGKILL)

    def _end(self) -> None:
        """Stop listening at once; let workers answer what they have, and kill who does not end."""
        for listening in self._sockets:
            listening.close()
        deadline = time.monotonic() + END_SECONDS
        while self._workers:
            late = time.monotonic() > deadline
            for worker in self._workers.values():
                worker.kill(signal.SIGKILL if late else signal.SIGTERM)
            wait(list(self._workers), AGAIN_SECONDS)
            for descriptor in self._dead():
                self._workers.pop(descriptor).bury()


def _signals() -> int:
    """A descriptor that gives the number of each signal that asks us to end."""
    news, telling = os.pipe()
    for end in (news, telling):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(telling)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return news
