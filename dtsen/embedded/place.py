"""Where a cluster lives, whom it runs as, and the lock that keeps it to one master.

PGHOME and what stands directly in it belong to whoever starts the server; only `data` belongs to
the account that the server runs as. So root never writes where that account could plant a link.
"""

import fcntl
import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PRIVATE = 0o700
PASSAGE = 0o711
"""Enough for the server's account to reach what is its own, not to look around."""


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot start or be used; the text says why and what to do."""


class ClusterInUse(EmbeddedError):
    """Another process holds the cluster."""


@dataclass(frozen=True, slots=True)
class Account:
    """An entry of the passwd file that the server runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """The paths of one cluster; `home` keeps its secrets and log, `pghome` the rest."""

    home: Path
    pghome: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.pghome / "data"

    @property
    def draft(self) -> Path:
        """Where initdb works, so that an interrupted one is never taken for a cluster."""
        return self.pghome / "data.new"

    @property
    def configuration(self) -> Path:
        """Settings of the server; also names pg_hba.conf."""
        return self.pghome / "postgresql.conf"

    @property
    def hba(self) -> Path:
        """Who may connect."""
        return self.pghome / "pg_hba.conf"

    @property
    def lock(self) -> Path:
        """Locked (flock) by whoever runs the server, whose pid it holds."""
        return self.pghome / "lock"

    @property
    def logins(self) -> Path:
        """Port and passwords."""
        return self.home / "postgres-logins.json"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "logs" / "postgresql.log"


def account(pguser: str) -> Account:
    """Whom the server runs as: `pguser` if we are root, else ourselves.

    Raises:
        EmbeddedError: there is no such entry in passwd, without which initdb refuses to work.
    """
    try:
        entry = pwd.getpwnam(pguser) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError:
        who = f"account {pguser!r}" if os.geteuid() == 0 else f"uid {os.geteuid()}"
        raise EmbeddedError(
            f"{who} has no entry in the passwd file, without which PostgreSQL makes no cluster; "
            "set DTSEN_PGUSER to an existing account, or DTSEN_DATABASE_URL and its siblings"
        ) from None
    if entry.pw_uid == 0:
        raise EmbeddedError("PostgreSQL never runs as root; set DTSEN_PGUSER to another account")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def prepare(place: Place, account: Account) -> None:
    """Make the folders, and let the server's account through those that are ours.

    Raises:
        EmbeddedError: a folder cannot be made, or is somebody else's.
    """
    ours = (place.home, place.pghome, place.log.parent)
    for folder in ours:
        _make(folder, PASSAGE if account.uid != os.geteuid() else PRIVATE)
        owner = folder.stat().st_uid
        if owner != os.geteuid():
            raise EmbeddedError(
                f"{folder} belongs to uid {owner}; start as that user, "
                "or set DTSEN_HOME and DTSEN_PGHOME to folders of your own"
            )
    if account.uid != os.geteuid():
        inside = [part for part in place.pghome.parents if part.is_relative_to(place.home)]
        for folder in (place.pghome, *inside):
            folder.chmod(folder.stat().st_mode | PASSAGE & 0o111)


def _make(folder: Path, mode: int) -> None:
    """Make a folder and those above it, of a mode that no umask narrows."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    try:
        for part in reversed(missing):
            part.mkdir()
            part.chmod(mode)
    except OSError as error:
        raise EmbeddedError(f"cannot make {folder}: {error.strerror}") from None


def keep_name(path: Path) -> None:
    """Have a name just given (by rename) on disk before going on."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def hold(place: Place) -> Iterator[None]:
    """Hold the cluster's lock; the kernel lets go of it however we end.

    Raises:
        ClusterInUse: another process holds it.
    """
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
            raise ClusterInUse(
                f"the embedded PostgreSQL in {place.pghome} is in use by process {holder}; "
                "end that one first, or set DTSEN_HOME to another folder"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def check_data(place: Place, account: Account, programs: Path) -> None:
    """Refuse a data directory that is not the server account's or not this version's.

    Raises:
        EmbeddedError: which of it.
    """
    owner = place.data.stat().st_uid
    if owner != account.uid:
        raise EmbeddedError(
            f"{place.data} belongs to uid {owner}, not to {account.name} (uid {account.uid}), "
            "whom the server would run as; set DTSEN_PGUSER or DTSEN_PGHOME"
        )
    marker = place.data / "PG_VERSION"
    made_by = marker.read_text().strip() if marker.is_file() else None
    if made_by is None:
        raise EmbeddedError(f"{place.data} is no PostgreSQL cluster; set DTSEN_PGHOME elsewhere")
    ours = _major(programs)
    if made_by != ours:
        raise EmbeddedError(f"{place.data} was made by PostgreSQL {made_by}, this one is {ours}")


def _major(programs: Path) -> str:
    """The major version, from `postgres (PostgreSQL) 18.4 ...`."""
    command = (str(programs / "postgres"), "--version")
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return done.stdout.split(")", 1)[1].split()[0].split(".")[0]


def set_aside(place: Place) -> Path:
    """Rename a cluster whose passwords are lost, so that nothing of it is; returns its new name."""
    kept = place.pghome / f"data.{datetime.now(UTC):%Y%m%dT%H%M%S}"
    place.data.rename(kept)
    return kept
