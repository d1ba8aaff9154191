"""`dtsen demo`: what `make run` starts. Everything in it is made by the public commands' functions.

A second start reuses what is there. Whatever it started ends with it.
"""

import json
import signal
import time
import urllib.request
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.resources import as_file, files
from typing import Annotated

import psycopg
import typer

from cli.context import fail, keyring, out, settings
from cli.front import announce, authority_file, front
from cli.migrating import migrate_recorded
from cli.processes import await_end, child
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
from dtsen.database import DatabaseUrls, connect
from dtsen.disclosure import agreements
from dtsen.disclosure.applying import EFFECTS, submit
from dtsen.disclosure.keeping import keep_plans
from dtsen.embedded import EmbeddedError, cluster
from dtsen.keys import SANDBOX_MARK
from dtsen.releases.samples import CaseMissing
from dtsen.releases.synth.example import EXAMPLE_NIKS
from schemas.agreement import read_agreement

READY_SECONDS = 60


def demo(
    *,
    tls: Annotated[
        bool, typer.Option("--tls", help="Behind nginx, which takes client certificates.")
    ] = False,
) -> None:
    """Start everything: PostgreSQL, two synthetic releases, demo agencies and clients, the API."""
    if tls:
        announce()
    chosen = settings()
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            urls = stack.enter_context(cluster(chosen))
            # The front first: clients' files name the authority that it makes.
            fronts = [stack.enter_context(front())] if tls else []
            prepare(urls)
            # The sequencer ends last, with whatever was recorded until then taken up.
            parts = [stack.enter_context(child((part,))) for part in ("sequencer", "serve")]
            with connect(urls.owner, autocommit=True) as connection:
                write_samples(connection)  # while the others start
            wait_ready()
            welcome(time.monotonic() - started)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            await_end([*fronts, *parts])
            fail("A part of the sandbox ended unasked, and so does the rest; start it again")
    except EmbeddedError as error:
        fail(str(error))
    except CaseMissing as error:
        fail(f"{error}; a larger DTSEN_DEMO_FAMILIES has somebody for every case")
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def prepare(urls: DatabaseUrls) -> None:
    """Bring database, keys, releases, agreements and clients to what the demo promises."""
    migrate_recorded(urls)
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
    if settings().tls_origin is not None:
        out.print(f"Certificates at {settings().tls_origin}, authority {authority_file()}")
    for line in (
        "source .venv/bin/activate",
        f"dtsen token {clients / 'demo-explorer.json'} | tail -n 1",
        f"dtsen curl {clients / 'demo-explorer.json'} POST /v1/individuals/lookup '{body}'",
        f"dtsen lookup {clients / 'demo-app.json'} {nik}",
    ):
        out.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
