"""The product, whole and in this process: real PostgreSQL, the application behind ASGI."""

import asyncio
import itertools
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import UUID

import httpx2
import psycopg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from psycopg.rows import dict_row

from api.app import create_app
from auth.tokens import TokenSigner
from dtsen.audit import sequencer as sequencing
from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication, store_at
from dtsen.audit.record import RecordKeys, read_disclosures
from dtsen.audit.sequencer import Sequencer
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, connect, migrate
from dtsen.disclosure import agreements
from dtsen.keys import Keyring
from dtsen.releases.activate import activate
from dtsen.releases.load import load
from dtsen.settings import Settings
from tests.differential.registry import Registry, read_registry
from tests.differential.release import EARLIER, IN_FORCE, make_folder
from tests.differential.sending import accepted, body_of
from tests.differential.worlds import SECRET, TRANSLATE, Ask, Terms

_RECORD = """
SELECT id, key_epoch, typ, op, outcome, status, agency, client, purpose, agreement,
    agreement_version, release, people, subjects, families, officer, case_ref, leaf, disclosures
FROM audit.record WHERE id = ANY (%s)
"""


# The other agency's record of a translation, written in the same transaction.
_COMPANIONS = """
SELECT r.id AS translated, c.*
FROM audit.record r JOIN audit.record c ON c.xmin = r.xmin AND c.id <> r.id
    AND c.recorded_at BETWEEN r.recorded_at - interval '1 minute'
        AND r.recorded_at + interval '1 minute'
WHERE r.id = ANY (%s)
"""
UNAVAILABLE = 503
MERGING_SECONDS = 0.1
"""Sooner than in the product, so that what was just recorded can be proved."""


class Defect(AssertionError):
    """The product logged an error of its own, whatever it answered."""


class Errors(logging.Handler):
    """What the product logs as its own defects."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it for the next answer."""
        self.told.append(record.getMessage())


@dataclass
class Wire:
    """One answer as it left, and the record that went before it."""

    ask: Ask
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    record: dict[str, Any] | None = None
    opened: dict[str, Any] = field(default_factory=dict)
    keys: RecordKeys | None = None
    companions: list["Companion"] = field(default_factory=list)

    @property
    def translates(self) -> bool:
        """Whether it answers a translation that was not refused."""
        return self.ask.op == TRANSLATE and self.status == 200

    def header(self, name: str) -> str | None:
        """The one value of a header."""
        return dict(self.headers).get(name)


@dataclass(frozen=True)
class Companion:
    """A record that stands beside another's: its columns, its leaf's members, the personal ones."""

    row: dict[str, Any]
    clear: dict[str, Any]
    opened: dict[str, Any]


@dataclass
class House:
    """A running application over a small registry, and whoever may change what it rests on."""

    owner: psycopg.Connection
    keyring: Keyring
    app: FastAPI
    http: httpx2.AsyncClient
    issuer: str
    signer: TokenSigner
    registry: Registry
    portal: BlockingPortal
    errors: "Errors"
    stalls: int = 0
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _registered: set[str] = field(default_factory=set)

    def agree(self, terms: Terms) -> int:
        """Put an agreement in force in place of the agency's last; its version."""
        version = next(self.versions)
        agreements.apply(self.owner, self.keyring, terms.document(version))
        if terms.client not in self._registered:
            self.owner.execute(
                "SELECT disclosure.set_authority('client', %s, true, %s)",
                (terms.client, terms.agency),
            )
            self._registered.add(terms.client)
        return version

    def restrict(self, restrictions: Mapping[str, str]) -> None:
        """These restrictions and no other."""
        with self.owner.transaction():
            self.owner.execute("LOCK TABLE disclosure.authority IN ACCESS EXCLUSIVE MODE")
            self.owner.execute("DELETE FROM disclosure.restriction")
            with self.owner.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO disclosure.restriction (nik, kind) VALUES (%s, %s)",
                    list(restrictions.items()),
                )
            self.owner.execute("SELECT disclosure.set_authority('restrictions', '', true, NULL)")

    def ask(
        self, terms: Sequence[Terms], asks: Sequence[Ask], shown: Sequence[str | None] = ()
    ) -> list[Wire]:
        """All of these at once; `shown` is If-None-Match of each."""
        tags = shown or [None] * len(asks)
        wires = self.portal.call(self._ask_all, terms, asks, tags)
        # A busy machine may stop a worker for so long that it refuses: asked once more, alone.
        for place, wire in enumerate(wires):
            if wire.status == UNAVAILABLE:
                self.stalls += 1
                wires[place : place + 1] = self.portal.call(
                    self._ask_all, terms, asks[place : place + 1], tags[place : place + 1]
                )
        told, self.errors.told = self.errors.told, []
        if told:
            raise Defect(told)
        self._read_records(wires)
        return wires

    async def _ask_all(
        self, terms: Sequence[Terms], asks: Sequence[Ask], shown: Sequence[str | None]
    ) -> list[Wire]:
        await self.app.state.parts.authority.refresh()
        sent = [
            self.send(terms[ask.agency], ask, tag) for ask, tag in zip(asks, shown, strict=True)
        ]
        return await asyncio.gather(*sent)

    async def send(self, terms: Terms, ask: Ask, shown: str | None = None) -> Wire:
        """One request."""
        token, _ = self.signer.sign(terms.client, " ".join(ask.scopes))
        headers = {"Authorization": f"Bearer {token}", "Accept": accepted(ask)}
        if ask.purpose is not None:
            headers["DTSEN-Purpose"] = ask.purpose
        if ask.english:
            headers["Accept-Language"] = "en"
        headers |= {f"DTSEN-{name.replace('_', '-')}": text for name, text in ask.said.items()}
        if ask.spoil == "bad-header":
            headers["DTSEN-Actor"] = SECRET
        if shown is not None:
            headers["If-None-Match"] = shown
        path, content = ask.call.path, None
        if ask.call.number is None:
            path += ask.subjects[0]
        else:
            content = body_of(ask)
            headers["Content-Type"] = (
                "text/plain" if ask.spoil == "other-type" else "application/json"
            )
        answer = await self.http.request(ask.call.method, path, headers=headers, content=content)
        return Wire(ask, answer.status_code, list(answer.headers.multi_items()), answer.content)

    def _read_records(self, wires: Sequence[Wire]) -> None:
        by_id = {}
        for wire in wires:
            receipt = wire.header("dtsen-access-record")
            if receipt is not None:
                by_id[UUID(receipt[1:37])] = wire
        with self.owner.cursor(row_factory=dict_row) as cursor:
            for row in cursor.execute(_RECORD, (list(by_id),)).fetchall():
                wire = by_id[row["id"]]
                wire.keys = RecordKeys(self.keyring, row["key_epoch"])
                wire.record = row | {"clear": json.loads(row["leaf"])}
                wire.opened = self._opened(row)
            translated = [wire.record["id"] for wire in wires if wire.record and wire.translates]
            for row in cursor.execute(_COMPANIONS, (translated,)).fetchall():
                companion = Companion(row, json.loads(row["leaf"]), self._opened(row))
                by_id[row["translated"]].companions.append(companion)

    def _opened(self, row: dict[str, Any]) -> dict[str, Any]:
        keys = RecordKeys(self.keyring, row["key_epoch"])
        return read_disclosures(keys.unseal(row["id"], row["disclosures"]))


@contextmanager
def open_house(urls: DatabaseUrls, home: Path) -> Iterator[House]:
    """Migrate, load both releases, serve."""
    migrate(urls)
    keyring = Keyring(home / "keys")
    keyring.ensure(datetime.now(UTC))
    settings = Settings(
        home=home,
        database_url=urls.api,
        owner_database_url=urls.owner,
        sequencer_database_url=urls.sequencer,
        auditor_database_url=urls.auditor,
    )
    app = create_app(settings)
    stop = Event()
    publication = Publication(store_at(settings.log_place), settings.guard_directory)
    keeper = Keeper(keyring, Clock(), publication, settings.issuer)
    sequencing.ROUND_SECONDS = MERGING_SECONDS
    sequencer = Sequencer(urls.sequencer, keyring, Clock(), keeper)
    merging = Thread(target=sequencer.run, args=(stop,), daemon=True)
    merging.start()
    # In a thread of its own, so that the application lives on while the owner works.
    with (
        connect(urls.owner, autocommit=True) as owner,
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
    ):
        for release in (EARLIER, IN_FORCE):
            load(urls, make_folder(home / "releases", release), lambda *_: None)
            activate(owner, release)
        registry = read_registry(owner)
        transport = httpx2.ASGITransport(app)
        with (
            portal.wrap_async_context_manager(app.router.lifespan_context(app)),
            portal.wrap_async_context_manager(
                httpx2.AsyncClient(transport=transport, base_url=settings.issuer)
            ) as http,
        ):
            signer = TokenSigner(keyring, settings.issuer, Clock())
            errors = Errors()
            logging.getLogger().addHandler(errors)
            try:
                yield House(
                    owner, keyring, app, http, settings.issuer, signer, registry, portal, errors
                )
            finally:
                logging.getLogger().removeHandler(errors)
                stop.set()
                merging.join()
