"""`dtsen demo`: what `make run` starts. Everything in it is made by the public commands' functions.

A second start reuses what is there. Whatever it started ends with it.
"""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.resources import as_file, files

import psycopg
import typer

from cli.context import fail, keyring, settings
from cli.samples import write_samples
from cli.sandbox import add_clients, load_releases
from dtsen.database import DatabaseUrls, connect, migrate
from dtsen.disclosure import agreements
from dtsen.embedded import EmbeddedError, cluster

READY_SECONDS = 60


def demo() -> None:
    """Start everything: PostgreSQL, two synthetic releases, demo agencies and clients, the API."""
    chosen = settings()
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            urls = stack.enter_context(cluster(chosen))
            prepare(urls)
            for arguments in (("sequencer",), ("serve",)):
                stack.enter_context(child(arguments))
            wait_ready()
            welcome(time.monotonic() - started)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            signal.pause()
    except EmbeddedError as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def prepare(urls: DatabaseUrls) -> None:
    """Bring database, keys, releases, agreements and clients to what the demo promises."""
    migrate(urls)
    keyring().ensure(datetime.now(UTC))
    with connect(urls.owner, autocommit=True) as connection:
        load_releases(urls, connection)
        apply_agreements(connection)
        add_clients(connection)
        write_samples(connection)


def apply_agreements(connection: psycopg.Connection) -> None:
    """Apply the demo's agreements that were never applied."""
    known = {version.id for version in agreements.every_version(connection)}
    with as_file(files("deploy") / "demo" / "agreements") as folder:
        for file in sorted(folder.glob("*.yaml")):
            text = file.read_text()
            if agreements.read_agreement(text).agreement not in known:
                agreements.apply(connection, keyring(), text)


@contextmanager
def child(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Another `dtsen` process that ends with this one, even when this one is killed."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "cli.main", *arguments],
        preexec_fn=_end_with_parent,  # noqa: PLW1509 - before any thread exists
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(READY_SECONDS / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
