"""A migrated database with one synthetic release and agreements, for tests of the gate."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.guard import Judging
from dtsen import acts
from dtsen.acts import Signer
from dtsen.audit.record import new_record_id
from dtsen.audit.two_person import approve
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, connect, migrate, open_pool
from dtsen.disclosure import agreements
from dtsen.disclosure.authority import Authority
from dtsen.disclosure.gate import Gate
from dtsen.disclosure.mandate import AccessToken, Circumstances, Mandate, Operation, mandate
from dtsen.disclosure.notes import Notes
from dtsen.disclosure.question import Question, Rendering, Seen, Wanting
from dtsen.disclosure.restrictions import EFFECTS as RESTRICTING, propose_lift, propose_set
from dtsen.keys import Keyring
from dtsen.releases.activate import activate
from dtsen.releases.load import load
from dtsen.releases.samples import Samples, sample
from dtsen.releases.synth import synthesise

LOOKUP = Operation("individuals.lookup", "individuals:read", "read")
FAMILY = Operation("families.lookup", "families:read", "read")

AGREEMENT = """
agreement: {id}
version: {version}
agency: {{code: {agency}, name: Dinas Uji, role: pengguna}}
valid: {{from: 2026-01-01, to: 2027-12-31}}
purposes:
  UJI:
    legal_basis: [Permen PPN 7/2025]
    operations: [individuals:read, families:read, audit:read]
    variables: {variables}
    masks: {masks}
{rows}
quota: {{requests: {{per_second: 1000}}, people: {{per_day: 1000000}}}}
tokens: {{binding: none, exceptions: []}}
retention: P1Y
contacts: [{{role: dpo, email: dpo@example.id}}]
dpia: DPIA-1
clients: [{client}]
"""


def agreement(
    client: str = "uji",
    *,
    version: int = 1,
    variables: str = "[anggota.nama, anggota.tanggal_lahir, keluarga.desil_nasional]",
    masks: str = "{}",
    rows: str = "",
) -> str:
    """The text of a small agreement of one client's own agency."""
    return AGREEMENT.format(
        id=f"PKS-{client}/2026",
        version=version,
        agency=f"agency-{client}",
        client=client,
        variables=variables,
        masks=masks,
        rows=f"rows: {rows}" if rows else "",
    )


@dataclass
class Population:
    """A database with people in it."""

    urls: DatabaseUrls
    keyring: Keyring
    folder: Path
    samples: Samples

    def connect(self) -> psycopg.Connection:
        return connect(self.urls.owner, autocommit=True)

    def apply(self, text: str) -> None:
        """Apply an agreement and let its clients act."""
        with self.connect() as connection:
            applied = agreements.apply(connection, self.keyring, text)
            for client in applied.clients:
                connection.execute(
                    "SELECT disclosure.set_authority('client', %s, true, %s)",
                    (client, applied.agency.code),
                )

    def people(self, sql_condition: str, most: int = 5) -> list[str]:
        """NIKs of people of the release, chosen by SQL."""
        table = f"registry.individual_{self.samples.ordinal}"
        with self.connect() as connection:
            rows = connection.execute(
                f"SELECT i.nomor_induk_kependudukan FROM {table} i WHERE {sql_condition}"  # noqa: S608 - test's own text
                f" ORDER BY 1 LIMIT {most}"
            ).fetchall()
        return [row[0] for row in rows]

    @contextmanager
    def restricted(self, nik: str, kind: str) -> Iterator[None]:
        """A person under a restriction, set and lifted as operators do, while the block lasts."""
        with self.connect() as connection:
            first, second = signer(connection), signer(connection)
            act = propose_set(connection, self.keyring, first, nik, kind=kind, reason="court-order")
            approve(connection, self.keyring, second, act.id, RESTRICTING)
        try:
            yield
        finally:
            with self.connect() as connection:
                act = propose_lift(connection, self.keyring, first, nik)
                approve(connection, self.keyring, second, act.id, RESTRICTING)

    def record(self, record_id: UUID) -> dict[str, object] | None:
        """The columns of a record, or None."""
        with self.connect() as connection:
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            return cursor.execute(
                "SELECT id, typ, op, outcome, status, agency, client, purpose, people, subjects,"
                " families, leaf, disclosures, key_epoch FROM audit.record WHERE id = %s",
                (record_id,),
            ).fetchone()


def signer(connection: psycopg.Connection) -> Signer:
    """Somebody new who may sign two-person acts."""
    one = Signer(f"p-{token_hex(4)}", Ed25519PrivateKey.generate())
    acts.enroll(connection, one.name, one.public)
    return one


@dataclass
class Desk:
    """A gate and its authority, as one worker has them."""

    population: Population
    clock: Clock
    authority: Authority
    gate: Gate
    notes: Notes

    def mandate(self, client: str = "uji", operation: Operation = LOOKUP) -> Mandate:
        return mandate(self.authority.current, token(client), operation, None, self.clock.now())

    def question(
        self,
        *,
        want: Wanting,
        client: str = "uji",
        operation: Operation = LOOKUP,
        by: str | None = None,
    ) -> tuple[Question, list[Seen]]:
        """A question, and the list that its rendering puts what it saw into.

        `by`: by which number, as the record says it.
        """
        caught: list[Seen] = []

        def render(_: Mandate, seen: Seen) -> Rendering:
            caught.append(seen)
            body = ",".join([*seen.people, *seen.families]).encode()
            return Rendering(200 if body else 404, body)

        question = Question(
            mandate=self.mandate(client, operation),
            circumstances=Circumstances(
                new_record_id(int(self.clock.now().timestamp() * 1000)),
                query={"by": by} if by else {},
            ),
            render=render,
            judge=Judging(token(client), operation),
            want=want,
        )
        return question, caught

    async def look(self, want: Wanting, **how: Any) -> tuple[UUID, Seen]:
        """Ask; the record's id and what the answer was rendered from."""
        question, caught = self.question(want=want, **how)
        await self.gate.answer(question)
        return question.circumstances.record_id, caught[-1]


def token(client: str, *, seconds: int = 200) -> AccessToken:
    scopes = frozenset({"individuals:read", "families:read", "audit:read", "individuals:translate"})
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    return AccessToken(client, scopes, f"jti-{client}", expires, client.encode())


@asynccontextmanager
async def desk(population: Population) -> AsyncIterator[Desk]:
    """One worker's gate over a population."""
    clock = Clock()
    gate_pool = await open_pool(population.urls.api, name="gate", size=3, generic_plans=True)
    pool = await open_pool(population.urls.api, name="api", size=2)
    authority = Authority(pool, clock)
    await authority.start()
    try:
        gate = Gate(gate_pool, authority, population.keyring, clock)
        yield Desk(population, clock, authority, gate, Notes(pool, population.keyring, clock))
        await gate.drain()
    finally:
        await authority.close()
        await gate_pool.close()
        await pool.close()


def fill(urls: DatabaseUrls, folder: Path) -> Population:
    """Migrate, load one release of 2,000 families, activate it."""
    migrate(urls)
    keyring = Keyring(folder / "keys")
    keyring.ensure(datetime.now(UTC))
    synthesise(folder / "releases", families=2000, seed=7, releases=["2026-Q3"])
    with connect(urls.owner, autocommit=True) as connection:
        load(urls, folder / "releases" / "2026-Q3", lambda *_: None)
        activate(connection, "2026-Q3")
        return Population(urls, keyring, folder, sample(connection))


@pytest.fixture(scope="session")
def population(postgres: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory) -> Population:
    """People on PostgreSQL 18 and on 15."""
    return fill(postgres, tmp_path_factory.mktemp("population"))


def between_read_and_record(one: Desk, act: Callable[[], object]) -> None:
    """A fault point: do something after the read, before the record."""
    original = one.gate._record

    async def record(connection, finished):
        one.gate._record = original
        await asyncio.to_thread(act)
        await original(connection, finished)

    one.gate._record = record
