"""Builds with one rule broken, which the test of that rule must catch; two with less room; one that
dies.

`python -m tests.faults.builds NAME` serves one as `dtsen serve` serves the product.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from starlette.types import ASGIApp

from api import asgi, protocol
from cli import serve, supervisor
from dtsen.disclosure import gate, recording
from dtsen.disclosure.gate import Gate
from dtsen.disclosure.recording import record

BEHIND_SECONDS = 0.05
"""How long the usual "asynchronous audit log" is behind."""

SMALL_QUEUE = 200
IMPATIENT_SECONDS = 2
IMPATIENT_SILENCE_SECONDS = 6
"""Longer than a busy machine takes to start a worker."""
POINTER = "(r.ordinal IS NULL OR r.pinned OR EXISTS (\n            SELECT FROM registry.pointer p WHERE p.ordinal = r.ordinal))"  # noqa: E501 - the product's text


def answers_early() -> ASGIApp:
    """Answer first, record after."""

    async def answer_then_record(_, connection, finished):
        for asked, made in finished:
            asked.settle(made.answer)
        await asyncio.sleep(BEHIND_SECONDS)
        await record(connection, [made.entry for _, made in finished])

    Gate._record = answer_then_record
    return asgi.create()


def trusts_its_memory() -> ASGIApp:
    """Record without looking at the pointer: the release in force is what the worker last read."""
    assert POINTER in recording.RECORD
    recording.RECORD = recording.RECORD.replace(POINTER, "true")
    return asgi.create()


def waits_for_few() -> ASGIApp:
    """Not broken: a queue short enough to fill in `make test`."""
    gate.MOST_WAITING = SMALL_QUEUE
    return asgi.create()


def is_impatient() -> ASGIApp:
    """Not broken: waits shorter for what comes slowly, so that `make test` does, too."""
    protocol.HEAD_SECONDS = IMPATIENT_SECONDS
    protocol.BODY_SECONDS = IMPATIENT_SECONDS
    return asgi.create()


STEPS = ("read", "before the commit", "in the commit", "after the commit", "before the answer")
DEATHS = "deaths"
"""File below DTSEN_HOME with a line for each death: the step at which a worker killed itself."""
BATCHES = 40


def dies_at_its_steps() -> ASGIApp:
    """Not broken: each worker kills itself at one step of an answer, in its fortieth batch."""
    mine, left = STEPS[os.getpid() % len(STEPS)], BATCHES
    read_people, settle_all = Gate._read, Gate._record

    def reached(step: str) -> None:
        nonlocal left
        left -= step == mine
        if left == 0:
            with (Path(os.environ["DTSEN_HOME"]) / DEATHS).open("a") as file:
                file.write(f"{mine}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    async def read(*of):
        rows = await read_people(*of)
        reached("read")
        return rows

    async def commit(*of):
        reached("before the commit")
        writing = asyncio.create_task(record(*of))
        await asyncio.sleep(0)  # the statement is on its way
        reached("in the commit")
        recorded = await writing
        reached("after the commit")
        return recorded

    async def settle(*of):
        await settle_all(*of)
        reached("before the answer")

    Gate._read, Gate._record = read, settle
    vars(gate)["record"] = commit
    return asgi.create()


if __name__ == "__main__":
    if sys.argv[1] == is_impatient.__name__:
        supervisor.SILENCE_SECONDS = IMPATIENT_SILENCE_SECONDS
    serve.APPLICATION = f"tests.faults.builds:{sys.argv[1]}"
    serve.serve()
