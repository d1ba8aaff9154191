"""A registry on real PostgreSQL with a small release filled by hand, and questions to its gate."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import orjson
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator
from psycopg import sql

from dtsen import acts
from dtsen.acts import Signer
from dtsen.audit import two_person
from dtsen.audit.record import RecordKeys, new_record_id, read_disclosures
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, connect, login, migrate, open_pool
from dtsen.disclosure import agreements
from dtsen.disclosure.authority import Authority, Snapshot
from dtsen.disclosure.gate import Gate
from dtsen.disclosure.mandate import AccessToken, Circumstances, Mandate, Operation, mandate
from dtsen.disclosure.question import Expand, Question, Render, Wanting
from dtsen.keys import Keyring
from dtsen.legacy import face, face_answer, population, reversing
from dtsen.legacy.answer import RESOLUTIONS, REVERSALS
from dtsen.legacy.resolving import expanding, rendering, wanting
from dtsen.legacy.schemes import NIK, SCHEMES, read, read_as
from dtsen.releases import layout

METADATA_VERSION = "v3/2026"
RESOLVE = Operation("legacy.dtks-resolve", "legacy:resolve", "read")
ANSWER = Draft202012Validator(RESOLUTIONS)
FACE = Operation("dtks.art-cari", "legacy:read", "read")
HOUSEHOLD = Draft202012Validator(face_answer.HOUSEHOLD)
PERSON = Draft202012Validator(face_answer.PERSON)
REVERSED = Draft202012Validator(REVERSALS)

AGREEMENT = """
agreement: {name}
version: 1
agency: {{code: {name}, name: Dinas {name}, role: pengguna}}
valid: {{from: 2026-01-01, to: 2027-12-31}}
purposes:
  MIGRASI:
    legal_basis: [Permen PPN 7/2025]
    operations: [legacy:resolve, legacy:read]
    variables: [{variables}]
    masks: {{{masks}}}
{rows}
quota: {{requests: {{per_second: 10}}, people: {{per_day: 1000}}}}
tokens: {{binding: none, exceptions: []}}
request_signature: none
retention: P1Y
contacts: [{{role: dpo, email: dpo@example.id}}]
dpia: DPIA-1
clients: [{name}]
"""
MOVE = "UPDATE registry.pointer SET ordinal = %s, moved_at = now()"
NUMBERS = "anggota.nomor_induk_kependudukan, keluarga.nomor_kartu_keluarga"


@dataclass(frozen=True)
class Told:
    """An answer, and its record as an auditor may open it."""

    results: list[dict[str, Any]]
    release: str
    record: dict[str, Any]
    opened: dict[str, Any]


@dataclass(frozen=True)
class Registry:
    """The database and keys of one small registry."""

    urls: DatabaseUrls
    keyring: Keyring
    clock: Clock

    @classmethod
    def of(cls, urls: DatabaseUrls, keyring: Keyring) -> "Registry":
        """A registry that exists."""
        return cls(urls, keyring, Clock())

    def agree(
        self, name: str, *, variables: str = NUMBERS, masks: str = "", rows: str = ""
    ) -> None:
        """Put an agreement in force, with a client of the same name."""
        text = AGREEMENT.format(name=name, variables=variables, masks=masks, rows=rows)
        with connect(self.urls.owner, autocommit=True) as connection:
            agreements.apply(connection, self.keyring, text)
            connection.execute(
                "SELECT disclosure.set_authority('client', %s, true, %s)", (name, name)
            )

    def restrict(self, nik: str, kind: str) -> None:
        """Put a restriction on a person."""
        with connect(self.urls.owner) as connection:
            connection.execute(
                "INSERT INTO disclosure.restriction (nik, kind) VALUES (%s, %s)", (nik, kind)
            )
            connection.execute("SELECT disclosure.set_authority('restrictions', '', true, NULL)")

    def ask(self, client: str, *asked: tuple[str, str]) -> Told:
        """Translate ids through a gate of its own, and read the record that was written."""
        readings = [read(*one) for one in asked]
        rendered = rendering(readings, "id")
        told = asyncio.run(
            self._ask(
                client, wanting, rendered, expanding(readings), query={"identifiers": list(asked)}
            )
        )
        ANSWER.validate({"release": told.release, "results": told.results})
        return told

    def reverse(self, client: str, *niks: str) -> Told:
        """Give the legacy ids of people through a gate of its own."""
        rendered = reversing.rendering(niks, "id")
        told = asyncio.run(
            self._ask(client, reversing.wanting(niks), rendered, reversing.expand, subjects=niks)
        )
        REVERSED.validate({"release": told.release, "results": told.results})
        return told

    def search(self, client: str, scheme: str, written: str) -> Told:
        """Ask the DTKS-shaped service through a gate of its own."""
        reading = read_as(NIK if scheme == "nik" else SCHEMES[scheme], written)
        rendered = face_answer.rendering(reading, "id")
        told = asyncio.run(
            self._ask(
                client,
                face.wanting,
                rendered,
                face.expanding(reading),
                subjects=(written,) if scheme == "nik" else (),
                operation=FACE,
            )
        )
        (answer,) = told.results
        (HOUSEHOLD if scheme == "id_dtks" else PERSON).validate(answer)
        return told

    def rule(self, text: str) -> None:
        """Put a population rule in force, signed by two people."""
        self.act(population.KIND, population.terms(population.read_rule(text)), population.EFFECTS)

    def act(self, kind: str, body: dict[str, Any], effects: dict[str, Any]) -> str:
        """An act that two people sign; what is so now."""
        with connect(self.urls.owner, autocommit=True) as connection:
            signers = [Signer(name, Ed25519PrivateKey.generate()) for name in self._names()]
            with connection.transaction():
                for signer in signers:
                    acts.enroll(connection, signer.name, signer.public)
            first, second = signers
            act = two_person.propose(connection, self.keyring, first, kind, body)
            return two_person.approve(connection, self.keyring, second, act.id, effects)

    def _names(self) -> list[str]:
        return [f"uji-{token_hex(4)}" for _ in range(2)]

    async def _ask(
        self,
        client: str,
        want: Wanting,
        rendered: Render,
        expand: Expand,
        *,
        subjects: tuple[str, ...] = (),
        query: dict[str, object] | None = None,
        operation: Operation = RESOLVE,
    ) -> Told:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(
                await open_pool(self.urls.api, name="test", size=2, generic_plans=True)
            )
            authority = Authority(pool, self.clock)
            gate = Gate(pool, authority, self.keyring, self.clock)
            stack.push_async_callback(gate.drain)
            snapshot = await authority.refresh()
            token = self._token(client)

            def judge(fresh: Snapshot, now: Any) -> Mandate:
                return mandate(fresh, token, operation, None, now)

            record_id = new_record_id(int(self.clock.now().timestamp() * 1000))
            question = Question(
                judge(snapshot, self.clock.now()),
                Circumstances(record_id, query=query or {}, subjects=subjects),
                rendered,
                judge,
                want,
                expand,
            )
            answer = await gate.answer(question)
        body = orjson.loads(answer.rendering.body)
        results, release = body.get("results", [body]), body.get("release") or body.get("rilis")
        return Told(results, release, *self._record(record_id))

    def _token(self, client: str) -> AccessToken:
        expires = self.clock.now() + timedelta(minutes=5)
        return AccessToken(
            client, frozenset({"legacy:resolve", "legacy:read"}), "jti", expires, b""
        )

    def _record(self, record_id: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        with connect(self.urls.owner) as connection:
            row = connection.execute(
                "SELECT key_epoch, leaf, disclosures FROM audit.record WHERE id = %s", (record_id,)
            ).fetchone()
        assert row is not None
        keys = RecordKeys(self.keyring, row[0])
        return orjson.loads(row[1]), read_disclosures(keys.unseal(record_id, row[2]))


@contextmanager
def registry(urls: DatabaseUrls, folder: Path) -> Iterator[Registry]:
    """An empty registry in a new cluster."""
    migrate(urls)
    clock = Clock()
    keyring = Keyring(folder / "keys")
    keyring.ensure(clock.now())
    yield Registry(urls, keyring, clock)


@contextmanager
def released(
    one: Registry, release: str, people: Sequence[dict[str, Any]], links: Sequence[Any]
) -> Iterator[None]:
    """Load another release and have it in force while the block lasts."""
    with connect(one.urls.owner) as connection:
        (before,) = connection.execute("SELECT ordinal FROM registry.pointer").fetchone()
    fill(one, release, people, links)
    try:
        yield
    finally:
        with connect(one.urls.owner) as connection:
            connection.execute(MOVE, (before,))


def fill(
    one: Registry, release: str, people: Sequence[dict[str, Any]], links: Sequence[Any]
) -> None:
    """Load a release and put it in force; families are made from the people's cards."""
    families = {row["nomor_kartu_keluarga"]: _family(row) for row in people}
    with connect(one.urls.owner) as connection:
        (ordinal,) = connection.execute("SELECT nextval('registry.release_ordinal')").fetchone()
        connection.execute(
            "INSERT INTO registry.release"
            " (ordinal, id, metadata_version, cut_off, published, state)"
            " VALUES (%s, %s, %s, '2026-09-30', '2026-10-20', 'ready')",
            (ordinal, release, METADATA_VERSION),
        )
        rows = {"anggota": people, "keluarga": list(families.values())}
        rows["dtks"] = [asdict(link) for link in links]
        for file in layout.FILES:
            connection.execute(layout.create(file, ordinal, METADATA_VERSION))
            for row in rows.get(file, ()):
                _insert(connection, layout.identifier(file, ordinal), row)
            for statement in layout.create_indexes(file, ordinal):
                connection.execute(statement)
        connection.execute(layout.grant(ordinal, login(one.urls.api)))
        connection.execute(MOVE, (ordinal,))


def _insert(connection: psycopg.Connection, table: sql.Identifier, row: dict[str, Any]) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            table,
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


def _family(row: dict[str, Any]) -> dict[str, Any]:
    copied = {
        name.removeprefix("keluarga_"): value
        for name, value in row.items()
        if name.startswith("keluarga_")
    }
    return {"nomor_kartu_keluarga": row["nomor_kartu_keluarga"]} | copied
