"""What the kernel says of the processes under test, and signals to exactly those."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ESTABLISHED = "01"
SECONDS = 60
"""Bound of every wait; each ends with what it waits for."""


def until(happened: Callable[[], object], *, seconds: float = SECONDS, what: str = "") -> float:
    """Wait for something that sends no news; the seconds it took."""
    started = time.monotonic()
    while not happened():
        assert time.monotonic() - started < seconds, f"{what or happened} took over {seconds} s"
        threading.Event().wait(0.01)
    return time.monotonic() - started


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def children(parent: int) -> dict[int, list[str]]:
    """The living processes that a process started, each with its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                line = (entry / "cmdline").read_bytes().decode().split("\0")
                found[int(entry.name)] = line[:-1]
    return {pid: found[pid] for pid in sorted(found) if lives(pid)}


def workers(supervisor: int) -> list[int]:
    """The server processes of a `dtsen serve`: those that its nursery forked."""
    return [worker for nursery in nurseries(supervisor) for worker in children(nursery)]


def nurseries(supervisor: int) -> list[int]:
    """The process that a server's workers are forked from, if it lives."""
    every = children(supervisor).items()
    return [pid for pid, line in every if "multiprocessing.forkserver" in " ".join(line)]


def send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Processes that stand still while the block lasts."""
    chosen = list(pids)
    send(chosen, signal.SIGSTOP)
    try:
        yield
    finally:
        send(chosen, signal.SIGCONT)


def unread(port: int) -> int:
    """Bytes that came to a local TCP port (IPv4) and were not yet read by its process."""
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state, queues = (line.split()[place] for place in (1, 3, 4))
        if local.endswith(f":{port:04X}") and state == ESTABLISHED:
            total += int(queues.partition(":")[2], 16)
    return total
