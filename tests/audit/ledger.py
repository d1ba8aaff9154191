"""A migrated database of its own for the access log, and records to put into it."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson
import psycopg

from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication
from dtsen.audit.record import RecordKeys, make_leaf, new_record_id, read_disclosures
from dtsen.audit.search import AccessLog, Page
from dtsen.audit.sequencer import Sequencer
from dtsen.audit.statement import Filter
from dtsen.audit.viewer import Viewer
from dtsen.clock import Clock, key_epoch
from dtsen.database import DatabaseUrls, connect
from dtsen.disclosure.recording import Entry, Standing, record
from dtsen.keys import Keyring

ROLES = ("owner", "api", "sequencer", "auditor")
ISSUER = "https://dtsen.example.id:8443"
SCOPES = frozenset({"audit:read", "audit:subjects"})
Told = TypeVar("Told")

_serial = itertools.count(1)


def nik(number: int) -> str:
    return f"337499{number:010d}"


def unique(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{next(_serial)}"


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What happened, for one record. `at`: None is now, by the recording statement."""

    agency: str | None = "dinas-a"
    client: str | None = "app-a"
    niks: tuple[str, ...] = ()
    kks: tuple[str, ...] = ()
    officer: str | None = None
    case_ref: str | None = None
    purpose: str | None = "UJI"
    op: str = "individuals.lookup"
    outcome: str = "found"
    reason: str = "seen"
    by: str = "nik"
    agreement: str | None = None
    legal_basis: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass
class Ledger:
    """An access log, its keys, and a search over it."""

    urls: DatabaseUrls
    keyring: Keyring
    loop: asyncio.AbstractEventLoop
    pool: asyncpg.Pool
    log: AccessLog
    home: Path
    publication: Publication
    superuser: str
    months: set[str] = field(default_factory=set)

    def run(self, work: Coroutine[Any, Any, Told]) -> Told:
        return self.loop.run_until_complete(work)

    def owner(self) -> psycopg.Connection:
        return connect(self.urls.owner, autocommit=True)

    def entry(self, deed: Deed, epoch: str | None = None) -> Entry:
        """The finished record of a deed, as the gate makes it."""
        now = deed.at or datetime.now(UTC)
        self.ensure(now)
        keys = RecordKeys(self.keyring, epoch or key_epoch(now))
        clear = {
            "typ": "read",
            "op": deed.op,
            "outcome": deed.outcome,
            "status": 200,
            "agency": deed.agency,
            "client": deed.client,
            "purpose": deed.purpose,
            "agreement": deed.agreement,
            "agreement_version": 1 if deed.agreement else None,
            "legal_basis": list(deed.legal_basis),
            "ds": "2026-Q3",
            "n": len(deed.niks),
            "iat": now.isoformat(timespec="milliseconds"),
        }
        personal = {
            "subject": list(deed.niks),
            "subject_kk": list(deed.kks),
            "officer": deed.officer,
            "case_ref": deed.case_ref,
            "reason": [deed.reason],
            "q": {"by": deed.by},
            "src_ip": "192.0.2.7",
        }
        record_id = new_record_id(int(now.timestamp() * 1000))
        leaf = make_leaf(keys, record_id, clear, personal)
        named = f"{deed.agency}|"
        said = ("typ", "op", "client", "agency", "agreement", "agreement_version", "purpose")
        return Entry(
            id=record_id,
            standing=Standing(**{name: clear[name] for name in said}),
            key_epoch=keys.epoch,
            outcome=clear["outcome"],
            status=clear["status"],
            leaf=leaf.content,
            disclosures=leaf.disclosures,
            people=clear["n"],
            subjects=keys.packed("nik", deed.niks),
            families=keys.packed("kk", deed.kks),
            officer=keys.index("officer", named + deed.officer) if deed.officer else None,
            case_ref=keys.index("case", named + deed.case_ref) if deed.case_ref else None,
            release=clear["ds"],
        )

    def write(self, *deeds: Deed, epoch: str | None = None) -> list[UUID]:
        """Write records of now through the recording statement, others as the owner can."""
        entries = [(deed, self.entry(deed, epoch)) for deed in deeds]
        present = [entry for deed, entry in entries if deed.at is None]
        if present:
            self.run(self._record(present))
        with self.owner() as connection:
            for deed, entry in entries:
                if deed.at is not None:
                    _backdate(connection, entry, deed.at)
        return [entry.id for _, entry in entries]

    def ensure(self, instant: datetime) -> None:
        """Keys and partitions of the month of an instant, and of the months beside it."""
        if key_epoch(instant) in self.months:
            return
        self.months.add(key_epoch(instant))
        self.keyring.ensure(instant)
        self.keyring.ensure(instant.replace(day=1) - timedelta(days=1))
        with self.owner() as connection:
            connection.execute("SELECT audit.ensure_partitions(%s)", (instant,))

    async def _record(self, entries: Sequence[Entry]) -> None:
        connection = await asyncpg.connect(self.urls.api)
        try:
            assert (await record(connection, entries)).accepted == {entry.id for entry in entries}
        finally:
            await connection.close()

    def keeper(self, clock: Clock | None = None, **how: Any) -> Keeper:
        return Keeper(self.keyring, clock or Clock(), self.publication, ISSUER, **how)

    def sequencer(self, clock: Clock | None = None, **how: Any) -> Sequencer:
        clock = clock or Clock()
        return Sequencer(self.urls.sequencer, self.keyring, clock, self.keeper(clock, **how))

    def merge(self) -> None:
        """Take everything up, publish it, and let the log be complete until now."""
        sequencer = self.sequencer()
        with sequencer.connect() as connection:
            sequencer.begin(connection)
            sequencer.round(connection)

    def backup(self) -> str:
        """A copy of the database as it is; its name."""
        name = f"{self.database}_backup"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self.database}")
        return name

    def forget(self, backup: str) -> None:
        self._administer(f"DROP DATABASE {backup}")

    def restore(self, backup: str) -> None:
        """Put a backup in the database's place."""
        self._administer(
            f"DROP DATABASE {self.database} WITH (FORCE)",
            f"ALTER DATABASE {backup} RENAME TO {self.database}",
        )

    @property
    def superuser_here(self) -> str:
        return self.superuser.removesuffix("postgres") + self.database

    @property
    def database(self) -> str:
        return self.urls.owner.rpartition("/")[2]

    def _administer(self, *statements: str) -> None:
        self.run(self.pool.expire_connections())
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def tampering(self) -> Iterator[psycopg.Connection]:
        """A connection of the owner who switched off what keeps records from being changed."""
        with self.owner() as connection:
            connection.execute("ALTER TABLE audit.record DISABLE TRIGGER only_grows")
            try:
                yield connection
            finally:
                connection.execute("ALTER TABLE audit.record ENABLE ALWAYS TRIGGER only_grows")

    def complete_until(self) -> datetime:
        with self.owner() as connection:
            (until,) = connection.execute("SELECT complete_until FROM audit.progress").fetchone()
        return until

    def mentions(self, record_id: UUID) -> set[bytes]:
        with self.owner() as connection:
            rows = connection.execute(
                "SELECT value FROM audit.mention WHERE record = %s", (record_id,)
            ).fetchall()
        return {row[0] for row in rows}

    def search(self, viewer: Viewer, cursor: str | None = None, limit: int = 500, **how) -> Page:
        return self.run(self.log.search(viewer, Filter(**how), limit=limit, cursor=cursor))

    def ids(self, viewer: Viewer, **how) -> list[str]:
        """Ids of all pages of a search."""
        found, cursor = [], None
        while True:
            page = self.search(viewer, cursor, **how)
            found += [one["jti"] for one in page.records]
            cursor = page.next
            if cursor is None:
                return found

    def everything(self) -> list[dict[str, Any]]:
        """Every record opened, newest first: what a search must agree with."""
        keys: dict[str, RecordKeys] = {}
        opened = []
        with self.owner() as connection:
            rows = connection.execute(
                "SELECT id, recorded_at, key_epoch, leaf, disclosures FROM audit.record"
                " ORDER BY recorded_at DESC, id DESC"
            ).fetchall()
        for record_id, recorded_at, epoch, leaf, sealed in rows:
            held = keys.setdefault(epoch, RecordKeys(self.keyring, epoch))
            personal = read_disclosures(held.unseal(record_id, sealed))
            personal |= {name: personal[name] or [] for name in ("subject", "subject_kk")}
            opened.append(orjson.loads(leaf) | personal | {"recorded_at": recorded_at})
        return opened


def agency(code: str, **how: Any) -> Viewer:
    """An agency that looks into its own records."""
    viewer = Viewer(
        agency=code,
        client=f"client-of-{code}",
        plan="plan-1",
        role="pengguna",
        scopes=frozenset({"audit:read"}),
    )
    return replace(viewer, **how)


def overseer(*, subjects: bool = True) -> Viewer:
    """An auditor of everybody."""
    scopes = SCOPES if subjects else frozenset({"audit:read"})
    return agency("pengawas", role="pengawas", scopes=scopes)


def _backdate(connection: psycopg.Connection, entry: Entry, at: datetime) -> None:
    columns = "id recorded_at key_epoch typ op outcome status agency client purpose agreement"
    columns += " agreement_version release people"
    names = [*columns.split(), "subjects", "families", "officer", "case_ref", "leaf", "disclosures"]
    said = entry.standing._asdict() | entry._asdict() | {"recorded_at": at}
    values = [said[name] for name in names]
    marks = ", ".join(["%s"] * len(names))
    connection.execute(
        f"INSERT INTO audit.record ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - names of this file
        values,
    )
    connection.execute(
        "INSERT INTO audit.pending (id, recorded_at) VALUES (%s, %s)", (entry.id, at)
    )
