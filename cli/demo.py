"""`dtsen demo`: what `make run` starts. Everything in it is made by the public commands' functions.

A second start reuses what is there. Whatever it started ends with it.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.resources import as_file, files

import psycopg
import typer

from cli.context import fail, keyring, out, settings
from cli.samples import write_samples
from cli.sandbox import (
    APPROVERS,
    add_clients,
    apply_population,
    enroll_approvers,
    load_releases,
    restrict_people,
)
from dtsen.acts import read_signer
from dtsen.audit.two_person import approve
from dtsen.database import DatabaseUrls, connect, migrate
from dtsen.disclosure import agreements
from dtsen.disclosure.applying import EFFECTS, submit
from dtsen.disclosure.keeping import keep_plans
from dtsen.embedded import EmbeddedError, cluster
from dtsen.keys import SANDBOX_MARK
from dtsen.releases.samples import CaseMissing
from dtsen.releases.synth.example import EXAMPLE_NIKS
from schemas.agreement import read_agreement

READY_SECONDS = 60
PR_SET_PDEATHSIG = 1  # prctl(2)


def demo() -> None:
    """Start everything: PostgreSQL, two synthetic releases, demo agencies and clients, the API."""
    chosen = settings()
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            urls = stack.enter_context(cluster(chosen))
            prepare(urls)
            # The sequencer ends last, with whatever was recorded until then taken up.
            parts = [stack.enter_context(child((part,))) for part in ("sequencer", "serve")]
            with connect(urls.owner, autocommit=True) as connection:
                write_samples(connection)  # while the others start
            wait_ready()
            welcome(time.monotonic() - started)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            await_end(parts)
            fail("A part of the sandbox ended unasked, and so does the rest; start it again")
    except EmbeddedError as error:
        fail(str(error))
    except CaseMissing as error:
        fail(f"{error}; a larger DTSEN_DEMO_FAMILIES has somebody for every case")
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def prepare(urls: DatabaseUrls) -> None:
    """Bring database, keys, releases, agreements and clients to what the demo promises."""
    migrate(urls)
    keyring().ensure(datetime.now(UTC))
    (settings().key_directory / SANDBOX_MARK).touch(mode=0o600)
    with connect(urls.owner, autocommit=True) as connection:
        load_releases(urls, connection)
        enroll_approvers(connection)
        apply_population(connection)
        apply_agreements(connection)
        keep_plans(connection, agreements.in_force(connection))
        add_clients(connection)
        restrict_people(connection)


def apply_agreements(connection: psycopg.Connection) -> None:
    """Apply the demo's agreements that were never applied, as two people do."""
    folder = settings().home / "demo" / "approvers"
    first, second = (read_signer(folder / f"{name}.json") for name in APPROVERS)
    known = {version.id for version in agreements.every_version(connection)}
    with as_file(files("deploy") / "demo" / "agreements") as folder:
        for file in sorted(folder.glob("*.yaml")):
            text = file.read_text()
            if read_agreement(text).agreement not in known:
                found = submit(connection, keyring(), first, text)
                if found.act is not None:
                    approve(connection, keyring(), second, found.act.id, EFFECTS)


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


def await_end(parts: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until one of the processes has ended."""
    descriptors = [os.pidfd_open(part.pid) for part in parts]
    try:
        select.select(descriptors, [], [])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def wait_ready() -> None:
    """Wait until the API answers; what keeps it from answering stands in its own output."""
    address = f"http://127.0.0.1:{settings().port}/readyz"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address, timeout=1) as answer:
            if answer.status == HTTPStatus.OK:
                return
        time.sleep(0.05)  # another process starts; it sends no news
    fail(f"nothing answers at {address} after {READY_SECONDS} s")


def welcome(seconds: float) -> None:
    """Say where it is and print three commands to paste."""
    clients = settings().home / "demo" / "clients"
    nik = EXAMPLE_NIKS[0]
    body = json.dumps({"nik": nik, "fields": ["nama", "desil_nasional"]})
    out.print(f"[bold green]Ready[/] in {seconds:.1f} s at {settings().issuer} (Ctrl-C ends it)")
    out.print("Synthetic people only. In another terminal of this folder:\n")
    for line in (
        "source .venv/bin/activate",
        f"dtsen token {clients / 'demo-explorer.json'} | tail -n 1",
        f"dtsen curl {clients / 'demo-explorer.json'} POST /v1/individuals/lookup '{body}'",
        f"dtsen lookup {clients / 'demo-app.json'} {nik}",
    ):
        out.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
