"""Port and passwords of the embedded cluster, and the roles and database made with them."""

import json
import os
import secrets
import subprocess
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from dtsen.database import DatabaseUrls
from dtsen.embedded.binaries import psql
from dtsen.embedded.place import EmbeddedError, keep_name

LOOPBACK = "127.0.0.1"
SUPERUSER = "postgres"
DATABASE = "dtsen"


@dataclass(frozen=True, slots=True, repr=False)
class Logins:
    """Where the server listens, and five random passwords."""

    port: int
    superuser: str
    owner: str
    api: str
    sequencer: str
    auditor: str

    @property
    def urls(self) -> DatabaseUrls:
        """What the rest of the house connects with; the superuser is not among it."""
        return DatabaseUrls(
            owner=self._url("dtsen_owner", self.owner),
            api=self._url("dtsen_api", self.api),
            sequencer=self._url("dtsen_sequencer", self.sequencer),
            auditor=self._url("dtsen_auditor", self.auditor),
        )

    def _url(self, login: str, password: str) -> str:
        return f"postgresql://{login}:{password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def listening_on(self, port: int) -> "Logins":
        """The same on another port."""
        return replace(self, port=port)


def new_logins(port: int) -> Logins:
    """Fresh random passwords of 256 bits."""
    return Logins(port, *(secrets.token_urlsafe(32) for _ in range(5)))


def read_logins(path: Path) -> Logins | None:
    """What was written last; None if nothing was.

    Raises:
        EmbeddedError: it is not ours to read, or damaged.
    """
    try:
        return Logins(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise EmbeddedError(f"{path} is not yours to read: run this as who started it") from None
    except (ValueError, TypeError):
        raise EmbeddedError(f"{path} is damaged; restore it from a copy") from None


def write_logins(path: Path, logins: Logins) -> None:
    """Replace the file in one step, for its owner alone, on disk before we return."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(logins), file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    keep_name(path)


def answers(logins: Logins, *, as_superuser: bool = False) -> bool:
    """Whether our server answers; a stranger on its port is given no password to keep.

    Raises:
        EmbeddedError: it answers, but does not know the password.
    """
    login = (
        (SUPERUSER, logins.superuser, "postgres")
        if as_superuser
        else ("dtsen_api", logins.api, DATABASE)
    )
    user, password, database = login
    conninfo = make_conninfo(
        host=LOOPBACK,
        port=logins.port,
        user=user,
        password=password,
        dbname=database,
        connect_timeout=5,
        require_auth="scram-sha-256",
        sslmode="disable",
    )
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error) and as_superuser:
            raise EmbeddedError(
                "the cluster does not know the passwords kept in DTSEN_HOME: "
                "DTSEN_PGHOME belongs to another DTSEN_HOME"
            ) from None
        return False
    return True


def ensure_roles(logins: Logins) -> None:
    """Make or mend the four logins and their database by running deploy/roles.sql.

    Raises:
        EmbeddedError: psql's message, which repeats no statement.
    """
    passwords = "".join(
        f"\\set {name}_password '{getattr(logins, name)}'\n"
        for name in ("owner", "api", "sequencer", "auditor")
    )
    environment = {
        "PGHOST": LOOPBACK,
        "PGPORT": str(logins.port),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": logins.superuser,
        "PGDATABASE": "postgres",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGSSLMODE": "disable",
    }
    done = subprocess.run(  # noqa: S603 - a program of the wheel; the file is our own
        [psql(), "--no-psqlrc", "--quiet", "--file=-"],
        input=passwords + (files("deploy") / "roles.sql").read_text(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"the logins could not be made: {done.stderr.strip()}")
