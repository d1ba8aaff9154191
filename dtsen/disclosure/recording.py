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


class Standing(NamedTuple):
    """What the records of one mandate say alike, and what must still hold for each of them.

    None: that is not checked.
    """

    typ: str
    op: str
    client: str | None = None
    client_epoch: int | None = None
    token_expires: datetime | None = None
    agency: str | None = None
    agreement: str | None = None
    agreement_version: int | None = None
    agreement_epoch: int | None = None
    agreement_ends: datetime | None = None
    purpose: str | None = None
    restrictions_epoch: int | None = None


class Entry(NamedTuple):
    """One record to write, and what must hold for it alone; None: that is not checked."""

    id: UUID
    standing: Standing
    key_epoch: str
    outcome: str
    status: int
    leaf: bytes
    disclosures: bytes
    people: int = 0
    subjects: bytes = b""
    families: bytes = b""
    officer: bytes | None = None
    case_ref: bytes | None = None
    release: str | None = None
    ordinal: int | None = None
    pinned: bool = False
    proof: bytes | None = None
    proof_expires: datetime | None = None
    proof_unused: datetime | None = None
    signature: bytes | None = None
    signature_expires: datetime | None = None
    signature_unused: datetime | None = None


# A standing is sent and judged once, however many records of a batch rest on it. Whether it holds
# is a column and no condition: of so many conditions the planner would expect one row, and look
# through all standings for each record instead of hashing them.
_STANDING = """
standing AS MATERIALIZED (
    SELECT s.*,
        (s.token_expires IS NULL OR s.token_expires > clock_timestamp())
        AND (s.agreement_ends IS NULL OR s.agreement_ends > clock_timestamp())
        AND (s.client_epoch IS NULL OR EXISTS (
            SELECT FROM disclosure.authority a
            WHERE (a.kind, a.name, a.epoch) = ('client', s.client, s.client_epoch) AND a.active))
        AND (s.agreement_epoch IS NULL OR EXISTS (
            SELECT FROM disclosure.authority a
            WHERE (a.kind, a.name, a.epoch) = ('agreement', s.agreement, s.agreement_epoch)
                AND a.active))
        AND (s.restrictions_epoch IS NULL OR EXISTS (
            SELECT FROM disclosure.authority a
            WHERE (a.kind, a.name, a.epoch) = ('restrictions', '', s.restrictions_epoch)))
        AS holds
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[],
        $7::text[], $8::integer[], $9::bigint[], $10::timestamptz[], $11::text[], $12::bigint[]
    ) WITH ORDINALITY AS s (
        typ, op, client, client_epoch, token_expires, agency,
        agreement, agreement_version, agreement_epoch, agreement_ends, purpose, restrictions_epoch,
        place)
)"""
_ARRAYS = """
        $13::uuid[], $14::bigint[], $15::text[], $16::text[], $17::smallint[], $18::bytea[],
        $19::bytea[], $20::integer[], $21::bytea[], $22::bytea[], $23::bytea[], $24::bytea[],
        $25::text[], $26::integer[], $27::boolean[]"""
_NAMES = """
        id, place, key_epoch, outcome, status, leaf,
        disclosures, people, subjects, families, officer, case_ref,
        release, ordinal, pinned"""
_HOLDS = """
        r.holds
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
WITH {_STANDING}, r AS (
    SELECT * FROM unnest({_ARRAYS}) AS e ({_NAMES}) JOIN standing USING (place)
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
WITH {_STANDING}, r AS (
    SELECT * FROM unnest({_ARRAYS}, $28::bytea[], $29::timestamptz[], $30::timestamptz[])
        AS e ({_NAMES}, proof, proof_expires, proof_unused)
    JOIN standing USING (place)
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
WITH {_STANDING}, r AS (
    SELECT * FROM unnest({_ARRAYS}, $28::bytea[], $29::timestamptz[], $30::timestamptz[],
            $31::bytea[], $32::timestamptz[], $33::timestamptz[])
        AS e ({_NAMES}, proof, proof_expires, proof_unused,
            signature, signature_expires, signature_unused)
    JOIN standing USING (place)
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
    standings = {id(entry.standing): entry.standing for entry in entries}
    places = {key: place for place, key in enumerate(standings, 1)}
    common = [list(column) for column in zip(*standings.values(), strict=True)]
    columns = [list(column) for column in zip(*entries, strict=True)]
    columns[1] = [places[id(entry.standing)] for entry in entries]
    if any(columns[-1]):
        rows = await connection.fetch(RECORD_SIGNED, *common, *columns)
        refused = frozenset(row["id"] for row in rows if row["replayed"] or row["reused"])
        return Recorded(
            frozenset(row["id"] for row in rows) - refused,
            frozenset(row["id"] for row in rows if row["replayed"]),
            frozenset(row["id"] for row in rows if row["reused"]),
        )
    if not any(columns[-4]):
        rows = await connection.fetch(RECORD, *common, *columns[:-6])
        return Recorded(frozenset(row["id"] for row in rows))
    rows = await connection.fetch(RECORD_PROVEN, *common, *columns[:-3])
    return Recorded(
        frozenset(row["id"] for row in rows if not row["replayed"]),
        frozenset(row["id"] for row in rows if row["replayed"]),
    )
