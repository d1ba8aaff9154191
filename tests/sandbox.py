"""The whole thing, running: `dtsen demo` in a process group of its own, for tests over HTTP."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from dtsen.client.connection import connected
from dtsen.client.showing import call
from dtsen.client.tokens import fetch_token
from dtsen.database import DatabaseUrls, connect
from dtsen.embedded import running
from dtsen.settings import Settings
from tests.packages import program
from tests.postgres import open_folder

START_SECONDS = 120
FAMILIES = 2_000
PORTS = range(10_000, 32_000)


@dataclass
class Sandbox:
    """A running sandbox and what its users hold of it."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    urls: DatabaseUrls
    log: Path
    metrics_port: int
    http: httpx2.Client = field(init=False)
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = self.stranger()

    def stranger(self) -> httpx2.Client:
        """Somebody with connections of their own."""
        return httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def client(self, client_id: str) -> dict[str, Any]:
        """A client's file."""
        path = self.home / "demo" / "clients" / f"{client_id}.json"
        return json.loads(path.read_text())

    def token(self, client_id: str = "demo-explorer") -> str:
        """A token of a client, reused while it has a minute left."""
        got, token = self._tokens.get(client_id, (0.0, ""))
        if time.monotonic() - got > 200:
            client = self.client(client_id)
            with self.connected(client) as http:
                token = fetch_token(client, http=http)
            self._tokens[client_id] = time.monotonic(), token
        return token

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        as_client: str = "demo-explorer",
        **how: Any,
    ) -> httpx2.Response:
        """A call with a valid token, shown as its client must; `headers` are added."""
        if body is not None:
            how["json"] = body
        client, token = self.client(as_client), self.token(as_client)
        with self.connected(client) as http:
            return call(client, token, method, path, http=http, **how)

    @contextmanager
    def connected(self, client: dict[str, Any]) -> Iterator[httpx2.Client]:
        """Where a client's calls go: with its certificate to the front, or straight to the API."""
        if "certificate" not in client:
            yield self.http
            return
        with connected(client, timeout=30) as http:
            yield http

    @property
    def samples(self) -> dict[str, Any]:
        """`samples.json`."""
        return json.loads((self.home / "demo" / "samples.json").read_text())

    def owner(self) -> psycopg.Connection:
        """A connection of the owner, in autocommit."""
        return connect(self.urls.owner, autocommit=True)


@contextmanager
def running_sandbox(
    *,
    families: int = FAMILIES,
    workers: int = 2,
    urls: DatabaseUrls | None = None,
    tls: bool = False,
    **env: str,
) -> Iterator[Sandbox]:
    """Start `dtsen demo` in a new folder and end it after."""
    with open_folder() as folder:
        port = free_port()
        chosen = {
            "DTSEN_HOME": str(folder / "home"),
            "DTSEN_PORT": str(port),
            **({"DTSEN_TLS_PORT": str(free_port())} if tls else {}),
            "DTSEN_METRICS_PORT": str(free_port()),
            "DTSEN_DEMO_FAMILIES": str(families),
            "DTSEN_WORKERS": str(workers),
            **(database_settings(urls) if urls else {}),
            **env,
        }
        log = folder / "sandbox.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "demo", *(["--tls"] if tls else [])],
                env=os.environ | chosen,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until_ready(process, port, log)
            found = urls or running(Settings(home=folder / "home"))
            assert found is not None
            sandbox = Sandbox(
                folder / "home", port, process, found, log, int(chosen["DTSEN_METRICS_PORT"])
            )
            with sandbox.http:
                yield sandbox
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                pytest.fail("the sandbox did not end within 60 s of an interrupt")


def database_settings(urls: DatabaseUrls) -> dict[str, str]:
    return {
        "DTSEN_DATABASE_URL": urls.api,
        "DTSEN_OWNER_DATABASE_URL": urls.owner,
        "DTSEN_SEQUENCER_DATABASE_URL": urls.sequencer,
        "DTSEN_AUDITOR_DATABASE_URL": urls.auditor,
    }


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the sandbox ended:\n{log.read_text()[-3000:]}")
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.1)  # another process starts; it sends no news
    pytest.fail(f"the sandbox is not ready:\n{log.read_text()[-3000:]}")


def free_port() -> int:
    """A port that nobody listens on, for a server that starts soon.

    Not one that the system gives away itself: meanwhile it would give it to another test.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests that leave it as they found it."""
    with running_sandbox() as one:
        yield one


@pytest.fixture(scope="session")
def behind_tls() -> Iterator[Sandbox]:
    """One sandbox behind nginx, as `make run-tls` starts it, which also wants nonces in proofs."""
    program("nginx", "nginx-light")
    with running_sandbox(tls=True, DTSEN_DPOP_NONCES="true") as one:
        yield one
