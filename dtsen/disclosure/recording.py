"""The recording statement: the point of truth for every answer.

One statement and one commit write the records of a whole batch. It lets through only what still
holds by the database's own state and clock: client, agreement and restrictions by their epochs, the
expiry of token and agreement, the release by its pointer, a proof by the fence of this timeline.
What it does not return has no record, and its data must be dropped. Only for what is recorded is a
proof of possession used up; one that was used before is told apart. The plain read of `authority`
keeps its lock until the commit returned, so a revoker, who locks that table first, waits for what
is in flight. Signatures of requests are used up like proofs.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from dtsen.database import Connection
from dtsen.errors import DtsenError, Fault, ProofRefused, SignatureRefused


class Entry(NamedTuple):
    """One record to write, and what must still hold for it; None: that is not checked."""

    id: UUID
    client: str | None
    client_epoch: int | None
    token_expires: datetime | None
    agreement: str | None
    agreement_epoch: int | None
    agreement_ends: datetime | None
    restrictions_epoch: int | None
    ordinal: int | None
    pinned: bool
    key_epoch: str
    typ: str
    op: str
    outcome: str
    status: int
    agency: str | None
    purpose: str | None
    agreement_version: int | None
    release: str | None
    people: int
    subjects: bytes
    families: bytes
    officer: bytes | None
    case_ref: bytes | None
    leaf: bytes
    disclosures: bytes
    proof: bytes | None = None
    proof_expires: datetime | None = None
    proof_unused: datetime | None = None
    signature: bytes | None = None
    signature_expires: datetime | None = None
    signature_unused: datetime | None = None


_ARRAYS = """
        $1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[],
        $5::text[], $6::bigint[], $7::timestamptz[], $8::bigint[], $9::integer[], $10::boolean[],
        $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[], $16::text[],
        $17::text[], $18::integer[], $19::text[], $20::integer[], $21::bytea[], $22::bytea[],
        $23::bytea[], $24::bytea[], $25::bytea[], $26::bytea[]"""
_NAMES = """
        id, client, client_epoch, token_expires,
        agreement, agreement_epoch, agreement_ends, restrictions_epoch, ordinal, pinned,
        key_epoch, typ, op, outcome, status, agency,
        purpose, agreement_version, release, people, subjects, families,
        officer, case_ref, leaf, disclosures"""
_HOLDS = """
        (r.token_expires IS NULL OR r.token_expires > clock_timestamp())
        AND (r.agreement_ends IS NULL OR r.agreement_ends > clock_timestamp())
        AND (r.client_epoch IS NULL OR EXISTS (
            SELECT FROM disclosure.authority a
            WHERE (a.kind, a.name, a.epoch) = ('client', r.client, r.client_epoch) AND a.active))
        AND (r.agreement_epoch IS NULL OR EXISTS (
            SELECT FROM disclosure.authority a
            WHERE (a.kind, a.name, a.epoch) = ('agreement', r.agreement, r.agreement_epoch)
                AND a.active))
        AND (r.restrictions_epoch IS NULL OR EXISTS (
            SELECT FROM disclosure.authority a
            WHERE (a.kind, a.name, a.epoch) = ('restrictions', '', r.restrictions_epoch)))
        AND (r.ordinal IS NULL OR r.pinned OR EXISTS (
            SELECT FROM registry.pointer p WHERE p.ordinal = r.ordinal))
        AND (NOT r.pinned OR EXISTS (
            SELECT FROM registry.release k WHERE k.ordinal = r.ordinal AND k.state = 'ready'))"""
_WRITTEN = """
    id, recorded_at, key_epoch, typ, op, outcome, status, agency, client, purpose,
    agreement, agreement_version, release, people, subjects, families, officer, case_ref,
    leaf, disclosures"""
_WAITING = "INSERT INTO audit.pending (id, recorded_at) SELECT id, recorded_at FROM accepted"
_WRITE = f"INSERT INTO audit.record ({_WRITTEN}) SELECT {_WRITTEN} FROM accepted"  # noqa: S608 - names of ours

RECORD = f"""
WITH r AS (
    SELECT * FROM unnest({_ARRAYS}) AS r ({_NAMES})
), accepted AS MATERIALIZED (
    SELECT r.*, clock_timestamp() AS recorded_at FROM r WHERE {_HOLDS}
), waiting AS (
    {_WAITING}
)
{_WRITE}
RETURNING id
"""  # noqa: S608 - names of ours
"""For batches without a proof of possession, which must not pay for those with one."""

MARK_SECONDS = 60
"""A mark outlives its proof by this: after a failover the database's clock may be behind."""

# Marks are made in one order, so that two workers that are shown the same proofs at once wait for
# each other and never in a circle. Of two equal proofs in a batch the first alone makes its mark.
RECORD_PROVEN = f"""
WITH r AS (
    SELECT * FROM unnest({_ARRAYS}, $27::bytea[], $28::timestamptz[], $29::timestamptz[])
        AS r ({_NAMES}, proof, proof_expires, proof_unused)
), held AS MATERIALIZED (
    SELECT r.*, clock_timestamp() AS recorded_at,
        row_number() OVER (PARTITION BY r.client, r.proof) AS shown
    FROM r WHERE {_HOLDS}
        AND (r.proof IS NULL OR (r.proof_expires > clock_timestamp()
            AND r.proof_unused >= (SELECT disclosure.fence())))
), used AS (
    INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
    SELECT 'dpop', client, proof, proof_expires + make_interval(secs => {MARK_SECONDS})
    FROM held WHERE proof IS NOT NULL AND shown = 1
    ORDER BY client, proof
    ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING
    RETURNING holder, jti
), accepted AS MATERIALIZED (
    SELECT h.* FROM held h
    WHERE h.proof IS NULL
        OR (h.shown = 1 AND EXISTS (
            SELECT FROM used u WHERE (u.holder, u.jti) = (h.client, h.proof)))
), waiting AS (
    {_WAITING}
), written AS (
    {_WRITE}
)
SELECT h.id, a.id IS NULL AS replayed FROM held h LEFT JOIN accepted a ON a.id = h.id
"""  # noqa: S608 - names of ours


# Of a proof and a signature neither is used up unless both serve: a refusal is recorded with what
# is left.
RECORD_SIGNED = f"""
WITH r AS (
    SELECT * FROM unnest({_ARRAYS}, $27::bytea[], $28::timestamptz[], $29::timestamptz[],
            $30::bytea[], $31::timestamptz[], $32::timestamptz[])
        AS r ({_NAMES}, proof, proof_expires, proof_unused,
            signature, signature_expires, signature_unused)
), held AS MATERIALIZED (
    SELECT r.*, clock_timestamp() AS recorded_at,
        r.proof IS NOT NULL AND (
            row_number() OVER (PARTITION BY r.client, r.proof) > 1
            OR EXISTS (SELECT FROM disclosure.used_proof u
                WHERE (u.kind, u.holder, u.jti) = ('dpop', r.client, r.proof))) AS proof_used,
        r.signature IS NOT NULL AND (
            row_number() OVER (PARTITION BY r.client, r.signature) > 1
            OR EXISTS (SELECT FROM disclosure.used_proof u
                WHERE (u.kind, u.holder, u.jti) = ('signature', r.client, r.signature)))
            AS signature_used
    FROM r WHERE {_HOLDS}
        AND (r.proof IS NULL OR (r.proof_expires > clock_timestamp()
            AND r.proof_unused >= (SELECT disclosure.fence())))
        AND (r.signature IS NULL OR (r.signature_expires > clock_timestamp()
            AND r.signature_unused >= (SELECT disclosure.fence())))
), mark AS (
    SELECT 'dpop' AS kind, client, proof AS jti, proof_expires AS expires
    FROM held WHERE proof IS NOT NULL AND NOT proof_used AND NOT signature_used
    UNION ALL
    SELECT 'signature', client, signature, signature_expires
    FROM held WHERE signature IS NOT NULL AND NOT proof_used AND NOT signature_used
), used AS (
    INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
    SELECT kind, client, jti, expires + make_interval(secs => {MARK_SECONDS}) FROM mark
    ORDER BY kind, client, jti
    ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING
    RETURNING kind, holder, jti
), accepted AS MATERIALIZED (
    SELECT h.* FROM held h
    WHERE NOT h.proof_used AND NOT h.signature_used
        AND (h.proof IS NULL OR EXISTS (
            SELECT FROM used u WHERE (u.kind, u.holder, u.jti) = ('dpop', h.client, h.proof)))
        AND (h.signature IS NULL OR EXISTS (
            SELECT FROM used u
            WHERE (u.kind, u.holder, u.jti) = ('signature', h.client, h.signature)))
), waiting AS (
    {_WAITING}
), written AS (
    {_WRITE}
)
SELECT h.id, a.id IS NULL AND NOT h.signature_used AND h.proof IS NOT NULL AS replayed,
    a.id IS NULL AND (h.signature_used OR h.proof IS NULL) AS reused
FROM held h LEFT JOIN accepted a ON a.id = h.id
"""  # noqa: S608 - names of ours


class Recorded(NamedTuple):
    """Ids of what was recorded, and of what was refused because its proof was used before.

    `reused`: because its signature was.
    """

    accepted: frozenset[UUID]
    replayed: frozenset[UUID] = frozenset()
    reused: frozenset[UUID] = frozenset()

    def refusal_of(self, entry: UUID) -> DtsenError | None:
        """What to tell of an entry whose proof or signature was used before."""
        if entry in self.replayed:
            return ProofRefused()
        if entry in self.reused:
            return SignatureRefused(faults=[Fault("", "used-before", "nonce")])
        return None


class _OneAlone(Exception):
    """Of an entry and its companion not both hold: what was written is undone."""


async def record_both(connection: Connection, entry: Entry, companion: Entry) -> Recorded:
    """Write a record and its companion durably, or neither.

    The transaction keeps the lock of the one statement until its own commit returned.

    Raises:
        as `record`.
    """
    recorded = Recorded(frozenset())
    with suppress(_OneAlone):
        async with connection.transaction():
            recorded = await record(connection, [entry, companion])
            if recorded.accepted != {entry.id, companion.id}:
                raise _OneAlone
        return recorded
    return recorded._replace(accepted=frozenset())


async def record(connection: Connection, entries: Sequence[Entry]) -> Recorded:
    """Write the records of a batch durably; what is in neither set no longer held.

    Raises:
        asyncpg.PostgresError: nothing was written.
        asyncpg.InterfaceError, asyncpg.InternalClientError, OSError: the outcome is unknown.
    """
    columns = [list(column) for column in zip(*entries, strict=True)]
    if any(columns[-1]):
        rows = await connection.fetch(RECORD_SIGNED, *columns)
        refused = frozenset(row["id"] for row in rows if row["replayed"] or row["reused"])
        return Recorded(
            frozenset(row["id"] for row in rows) - refused,
            frozenset(row["id"] for row in rows if row["replayed"]),
            frozenset(row["id"] for row in rows if row["reused"]),
        )
    if not any(columns[-4]):
        rows = await connection.fetch(RECORD, *columns[:-6])
        return Recorded(frozenset(row["id"] for row in rows))
    rows = await connection.fetch(RECORD_PROVEN, *columns[:-3])
    return Recorded(
        frozenset(row["id"] for row in rows if not row["replayed"]),
        frozenset(row["id"] for row in rows if row["replayed"]),
    )
