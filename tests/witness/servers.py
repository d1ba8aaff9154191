"""Witnesses that run: real servers on real ports, in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from cli.witness import application
from dtsen.clock import Clock
from dtsen.tlog.notes import COSIGNATURE, Signer
from dtsen.witness.answering import Witness
from dtsen.witness.book import Book
from tests.sandbox import free_port
from tests.verifier import logs


def witness(folder: Path, number: int = 0) -> Witness:
    """A witness of the test log, with a book in a folder."""
    signer = Signer(f"witness.example/w{number}", logs.key(20 + number), COSIGNATURE)
    book = Book(folder / f"book-{number}.sqlite")
    return Witness(signer, [logs.LOG.verifier], book, lambda: int(Clock().now().timestamp()))


@contextmanager
def serving(one: Witness) -> Iterator[str]:
    """The witness's address while it serves."""
    port = free_port()
    config = uvicorn.Config(
        application(one), host="127.0.0.1", port=port, lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
