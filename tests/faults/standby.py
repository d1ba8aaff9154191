"""A primary and the standby that streams from it and takes its place, as a cluster manager has it.

Both are the embedded PostgreSQL 18; the standby comes back at the address of the primary it
replaces, so that whoever used that one goes on without being told.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from dtsen.database import DatabaseUrls
from dtsen.embedded.binaries import install, psql
from dtsen.embedded.configuration import write_configuration
from dtsen.embedded.logins import ensure_roles, new_logins, write_logins
from dtsen.embedded.place import Place, account, prepare
from dtsen.embedded.server import ENVIRONMENT, LIBRARIES, free_port, initialize
from tests.faults.processes import until
from tests.postgres import ACCOUNT

BASEBACKUP = psql().with_name("pg_basebackup")
CAUGHT_UP = """
SELECT count(*) FROM pg_stat_replication
WHERE state = 'streaming' AND replay_lsn = pg_current_wal_lsn() AND sync_state = %s
"""


class Pair:
    """The servers of one place; `urls` is where the primary is, whichever it is."""

    def __init__(self, folder: Path) -> None:
        self._place = Place(folder / "home", folder / "home" / "postgres")
        self._who = account(ACCOUNT)
        prepare(self._place, self._who)
        self._programs = install(self._place.pghome)
        self._logins = new_logins(free_port())
        write_logins(self._place.logins, self._logins)
        initialize(self._place, self._who, self._programs, self._logins.superuser)
        write_configuration(self._place, self._logins.port)
        with self._place.hba.open("a") as rules:
            rules.write("host replication postgres 127.0.0.1/32 scram-sha-256\n")
        self._primary = self._start(self._place.data, self._logins.port)
        self._standby: tuple[subprocess.Popen[bytes], Path, int] | None = None
        self._number = 0
        ensure_roles(self._logins)

    @property
    def urls(self) -> DatabaseUrls:
        return self._logins.urls

    def follow(self, *, synchronous: bool) -> None:
        """Make a standby of the primary as it is, and wait until it has all of it."""
        self._number += 1
        data = self._place.pghome / f"standby-{self._number}"
        copy = [BASEBACKUP, "-D", data, "-R", "-c", "fast", "-d", self._url()]
        subprocess.run(list(map(str, copy)), check=True)
        for path in (data, *data.rglob("*")):
            os.chown(path, self._who.uid, self._who.gid)
        port = free_port()
        self._standby = self._start(data, port), data, port
        name = "'*'" if synchronous else "''"
        self.tell(f"ALTER SYSTEM SET synchronous_standby_names = {name}", "SELECT pg_reload_conf()")
        state = "sync" if synchronous else "async"
        until(lambda: self.value(CAUGHT_UP, state) == 1, what="a standby that has it all")

    def cut(self) -> None:
        """Let the standby hear no more of the primary."""
        assert self._standby is not None
        stop = "ALTER SYSTEM SET primary_conninfo = ''"
        self.tell(stop, "SELECT pg_reload_conf()", port=self._standby[2])
        until(lambda: self.value("SELECT count(*) FROM pg_stat_replication") == 0, what="a cut")

    def fail_over(self) -> None:
        """Kill the primary as a power cut would, and put the standby into its place."""
        assert self._standby is not None
        process, data, _ = self._standby
        self._primary.kill()
        self._primary.wait()
        process.send_signal(signal.SIGINT)
        process.wait()
        self._primary, self._standby = self._start(data, self._logins.port), None
        off = "ALTER SYSTEM SET synchronous_standby_names = ''"
        self.tell(off, "SELECT pg_reload_conf()", "SELECT pg_promote()")

    def tell(self, *statements: str, port: int | None = None) -> None:
        """Say something to the primary, or to who listens at a port, as its superuser."""
        with psycopg.connect(self._url(port), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def value(self, query: str, *values: Any) -> Any:
        """The one value of a query to the primary."""
        with psycopg.connect(self._url("dtsen")) as connection:
            (found,) = connection.execute(query, values).fetchone()
            return found

    def end(self) -> None:
        for process in (self._primary, *(self._standby or ())[:1]):
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def _url(self, where: int | str | None = None) -> str:
        port = where if isinstance(where, int) else self._logins.port
        name = where if isinstance(where, str) else "postgres"
        return f"postgresql://postgres:{self._logins.superuser}@127.0.0.1:{port}/{name}"

    def _start(self, data: Path, port: int) -> "subprocess.Popen[bytes]":
        told = ["-c", f"config_file={self._place.configuration}", "-c", f"port={port}"]
        line = [self._programs / "postgres", "-D", data, *told]
        with self._place.log.open("ab") as log:
            process = subprocess.Popen(
                list(map(str, line)),
                env=ENVIRONMENT | LIBRARIES,
                cwd=self._place.pghome,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account(),
            )

        def answers() -> bool:
            assert process.poll() is None, self._place.log.read_text()[-2000:]
            try:
                psycopg.connect(self._url(port)).close()
            except psycopg.OperationalError:
                return False
            return True

        until(answers, what="PostgreSQL that answers")
        return process

    def _account(self) -> dict[str, Any]:
        """Whom the server runs as, where we are root."""
        if os.geteuid() != 0:
            return {}
        return {"user": self._who.uid, "group": self._who.gid, "extra_groups": []}


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Two servers, for as long as the block lasts."""
    made = Pair(folder)
    try:
        yield made
    finally:
        made.end()
