"""Processes that a command starts, and that end with it, however it ends."""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

END_SECONDS = 30
PR_SET_PDEATHSIG = 1  # prctl(2)


@contextmanager
def child(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Another `dtsen` process that ends with this one, even when this one is killed."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "cli.main", *arguments],
        preexec_fn=end_with_parent,  # noqa: PLW1509 - before any thread exists
    )
    with ended(process):
        yield process


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ask a process to end when the block is over, and insist."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_end(parts: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until one of the processes has ended."""
    descriptors = [os.pidfd_open(part.pid) for part in parts]
    try:
        select.select(descriptors, [], [])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def end_with_parent() -> None:
    """Let the kernel end this process with its parent; for `preexec_fn`."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
