"""Runs the server as our child: makes its cluster, starts it, starts it again, stops it.

One thread, the keeper, starts the postmaster and waits for it. The kernel ends the postmaster with
the thread that started it, so the keeper lives as long as the server does; and a postmaster that
was killed is started again by it, on the same port.
"""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from dtsen.embedded.logins import LOOPBACK, SUPERUSER, Logins, answers
from dtsen.embedded.place import Account, EmbeddedError, Place, keep_name

LAUNCHER = Path(__file__).with_name("launcher.py")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that PostgreSQL's processes see; ours may hold passwords."""
LIBRARIES = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
"""What a Python installed off the beaten track needs to start the launcher."""

START_SECONDS = 120
"""Crash recovery of 2 GB of WAL included."""
STEADY_SECONDS = 10
"""A server that lived longer did not die of its start."""
RESTARTS = 5
STOPPING = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
"""Fast shutdown, then immediate, then the end; each with its seconds."""
TAIL = 2000
LOG_BYTES = 10_000_000

logger = logging.getLogger("dtsen.embedded")


def initialize(place: Place, account: Account, programs: Path, password: str) -> None:
    """Make the cluster with initdb: scram only, data checksums, UTF8 ordered by its bytes.

    Raises:
        EmbeddedError: what initdb said.
    """
    shutil.rmtree(place.draft, ignore_errors=True)
    place.draft.mkdir(mode=0o700)
    os.chown(place.draft, account.uid, account.gid)
    secret = os.memfd_create("password")  # The superuser's password touches no disk here.
    try:
        os.write(secret, password.encode())
        done = subprocess.run(  # noqa: S603 - our own copy of initdb
            [
                *_launch(account, place.draft, programs / "initdb"),
                f"--pgdata={place.draft}",
                f"--username={SUPERUSER}",
                f"--pwfile=/proc/self/fd/{secret}",
                "--auth=scram-sha-256",
                "--data-checksums",
                "--encoding=UTF8",
                "--locale=C",
            ],
            env=ENVIRONMENT | LIBRARIES,
            cwd=place.pghome,
            pass_fds=[secret],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        os.close(secret)
    if done.returncode != 0:
        raise EmbeddedError(f"initdb failed: {done.stdout[-TAIL:].strip()}")
    place.draft.rename(place.data)
    keep_name(place.data)


def _launch(account: Account, data: Path, program: Path) -> list[str | Path]:
    """The command that runs a program as an account, bound to the thread that starts it."""
    us = (os.getpid(), account.uid, account.gid)
    python = [sys.executable, "-I", "-S"]
    return [*python, LAUNCHER, *(str(number) for number in us), data, program]


def free_port(wished: int = 0) -> int:
    """A port that is free on loopback: the wished one if it is."""
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedError("no port is free on loopback")


class Server(threading.Thread):
    """The keeper of one postmaster."""

    def __init__(self, place: Place, account: Account, programs: Path) -> None:
        super().__init__(name="postgresql-keeper", daemon=True)
        self._log = place.log
        self._folder = place.pghome
        self._command = [
            *_launch(account, place.data, programs / "postgres"),
            *("-D", place.data, "-c", f"config_file={place.configuration}"),
        ]
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._steady = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id."""
        return self._process.pid if self._process else None

    def start_and_wait(self, logins: Logins) -> None:
        """Start, and return when the server answers.

        Raises:
            EmbeddedError: it ended or did not answer in time; with the end of its log.
        """
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.rename(self._log.with_suffix(".log.1"))
        written = self._log.stat().st_size if self._log.exists() else 0
        deadline = time.monotonic() + START_SECONDS
        self.start()
        while not answers(logins, as_superuser=True):
            # The keeper's end is the news to wait for; that the server is ready, none sends.
            self.join(0.02)
            if not self.is_alive() or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {self._said(written)}")
        self._steady = True

    def _said(self, since: int) -> str:
        with self._log.open("rb") as file:
            file.seek(since)
            text = file.read().decode(errors="replace").strip()
        return text[-TAIL:] or f"nothing is said in {self._log}"

    def run(self) -> None:
        """Start the postmaster, and again whenever it ends unasked, if it does not die of that."""
        deaths = 0
        while True:
            with self._guard:
                if self._ending.is_set():
                    return
                process = self._process = self._spawn()
            started = time.monotonic()
            process.wait()
            if self._ending.is_set() or not self._steady:
                return
            deaths = 1 if time.monotonic() - started > STEADY_SECONDS else deaths + 1
            if deaths > RESTARTS:
                logger.error("PostgreSQL keeps ending; see %s. It is not started again.", self._log)
                return
            logger.warning("PostgreSQL ended unasked (%s); starting it again", process.returncode)
            self._ending.wait(0.1 * (deaths - 1))

    def _spawn(self) -> subprocess.Popen[bytes]:
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - our own copy of postgres
                self._command,
                env=ENVIRONMENT | LIBRARIES,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us; the server goes last.
                start_new_session=True,
            )
        finally:
            os.close(log)

    def stop(self) -> None:
        """End the server: politely, firmly, at any price; the data survive each."""
        with self._guard:
            self._ending.set()
        for number, seconds in STOPPING:
            if self._process is None or not self.is_alive():
                return
            self._process.send_signal(number)
            self.join(seconds)
