"""The sandbox of the fault tests, and what they do in it as an operator does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg

from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from dtsen.client.errors import TokenRefused
from dtsen.client.tokens import fetch_token
from dtsen.disclosure import agreements
from dtsen.embedded import running
from dtsen.embedded.launcher import inhabitants
from dtsen.keys import Keyring
from dtsen.settings import Settings
from tests.embedded_cluster import until_answers
from tests.faults.processes import SECONDS, children, until
from tests.faults.serving import Server
from tests.sandbox import Sandbox, free_port, wait_until_ready

FAMILIES = 1_000
AGENCY = "dinas-uji-gangguan"
AGREEMENT = """
agreement: {id}
version: {version}
agency: {{code: dinas-uji-gangguan, name: Dinas Uji Gangguan, role: pengguna}}
valid: {{from: 2026-01-01, to: 2027-12-31}}
purposes:
  UJI-GANGGUAN:
    legal_basis: [Permen PPN 7/2025]
    operations: [individuals:read, families:read]
    variables: {variables}
quota: {{requests: {{per_second: 1000000}}, people: {{per_day: 2000000000}}}}
tokens: {{binding: none, exceptions: []}}
retention: P1D
contacts: [{{role: dpo, email: dpo@example.id}}]
dpia: DPIA-2026-999
clients: {clients}
"""
NARROW = "[anggota.nama, keluarga.desil_nasional]"
"""Read from one table."""
WIDE = "[group:identity, group:welfare, group:dwelling]"
"""Read from the person's table and then from the family's."""


def takes(worker: HTTPConnection, token: str) -> bool:
    """Whether a worker knows the client of a token."""
    worker.request("GET", "/v1/releases/current", headers={"Authorization": f"Bearer {token}"})
    answer = worker.getresponse()
    answer.read()
    return answer.status == 200


class Scene:
    """A sandbox that may be killed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.folder = sandbox.home / "faults"
        self.folder.mkdir()
        self._connection: psycopg.Connection | None = None

    @property
    def connection(self) -> psycopg.Connection:
        """A connection of the owner; a new one where PostgreSQL was killed meanwhile."""
        if self._connection is not None:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.OperationalError:
                self._connection.close()
            else:
                return self._connection
        until_answers(self.sandbox.urls.owner)
        self._connection = self.sandbox.owner()
        return self._connection

    def value(self, query: str, *values: Any) -> Any:
        """The one value of a query."""
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row[0]

    def agree(
        self, name: str, clients: Sequence[str], *, version: int = 1, variables: str = NARROW
    ) -> None:
        """Put an agreement in force."""
        text = AGREEMENT.format(
            id=name, version=version, variables=variables, clients=json.dumps(list(clients))
        )
        agreements.apply(self.connection, Keyring(self.sandbox.home / "keys"), text)

    def register(self, client_id: str) -> Path:
        """Register a client of the agency; its file."""
        file = self.folder / f"{client_id}.json"
        issuer = f"http://localhost:{self.sandbox.port}"
        terms = ClientTerms(client_id, AGENCY, "a client under load", issuer)
        add_with_new_key(self.connection, terms, Algorithm.ES256, file)
        return file

    def client(self, client_id: str, *, variables: str = NARROW) -> Path:
        """A client with an agreement of its own; its file."""
        self.agree(f"PKS-{client_id}/2026", [client_id], variables=variables)
        return self.register(client_id)

    def token(self, file: Path) -> str:
        """A token that every worker of the sandbox's server takes."""
        token = self.fresh_token(file)
        for connection in self.server.connections(2):
            until(lambda worker=connection: takes(worker, token), what="a client's acceptance")
            connection.close()
        return token

    def fresh_token(self, file: Path) -> str:
        """A token; a client that was just registered is known with the next poll."""
        deadline = time.monotonic() + SECONDS
        while True:
            with suppress(TokenRefused):
                return fetch_token(json.loads(file.read_text()), http=self.sandbox.http)
            assert time.monotonic() < deadline, "no token"

    def niks(self, condition: str = "true", most: int = 500) -> list[str]:
        """People of the release in force."""
        ordinal = int(self.value("SELECT ordinal FROM registry.pointer"))
        rows = self.connection.execute(
            f"SELECT i.nomor_induk_kependudukan FROM registry.individual_{ordinal} i"  # noqa: S608 - an integer and the test's own text
            f" WHERE {condition} ORDER BY 1 LIMIT {most}"
        )
        return [row[0] for row in rows]

    def backends(self, name: str) -> list[int]:
        """The backends of PostgreSQL that serve an application of this name."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
        return [row[0] for row in self.connection.execute(query, (name,)).fetchall()]

    @property
    def server(self) -> Server:
        """The sandbox's own server."""
        parts = children(self.sandbox.process.pid).items()
        (supervisor,) = (pid for pid, line in parts if line[-1] == "serve")
        return Server(self.sandbox.port, supervisor)

    def postgres(self) -> set[int]:
        """Every process of PostgreSQL."""
        return inhabitants(self.sandbox.home / "postgres" / "data")

    def kill_sandbox(self) -> None:
        """End the whole sandbox at once: what started it all, server and workers."""
        os.killpg(self.sandbox.process.pid, signal.SIGKILL)
        self.sandbox.process.wait()

    def start_sandbox(self) -> None:
        """Start it again where it was."""
        settings = {
            "DTSEN_HOME": str(self.sandbox.home),
            "DTSEN_PORT": str(self.sandbox.port),
            "DTSEN_METRICS_PORT": str(free_port()),
            "DTSEN_DEMO_FAMILIES": str(FAMILIES),
        }
        with self.sandbox.log.open("ab") as output:
            self.sandbox.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "demo"],
                env=os.environ | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until_ready(self.sandbox.process, self.sandbox.port, self.sandbox.log)
        found = running(Settings(home=self.sandbox.home))
        assert found is not None
        self.sandbox.urls = found

    def close(self) -> None:
        """End what runs now; whoever started the first sandbox ends that one."""
        if self._connection is not None:
            self._connection.close()
        self.sandbox.process.send_signal(signal.SIGINT)
        try:
            self.sandbox.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_sandbox()
            raise
