"""The recording statement: the point of truth for every answer.

One statement and one commit write the records of a whole batch. It lets through only what still
holds by the database's own state and clock: client, agreement and restrictions by their epochs, the
expiry of token and agreement, the release by its pointer. What it does not return has no record,
and its data must be dropped. The plain read of `authority` keeps its lock until the commit
returned, so a revoker, who locks that table first, waits for what is in flight.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from dtsen.database import Connection


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


RECORD = """
WITH r AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[],
        $5::text[], $6::bigint[], $7::timestamptz[], $8::bigint[], $9::integer[], $10::boolean[],
        $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[], $16::text[],
        $17::text[], $18::integer[], $19::text[], $20::integer[], $21::bytea[], $22::bytea[],
        $23::bytea[], $24::bytea[], $25::bytea[], $26::bytea[]
    ) AS r (
        id, client, client_epoch, token_expires,
        agreement, agreement_epoch, agreement_ends, restrictions_epoch, ordinal, pinned,
        key_epoch, typ, op, outcome, status, agency,
        purpose, agreement_version, release, people, subjects, families,
        officer, case_ref, leaf, disclosures
    )
), accepted AS MATERIALIZED (
    SELECT r.*, clock_timestamp() AS recorded_at
    FROM r
    WHERE (r.token_expires IS NULL OR r.token_expires > clock_timestamp())
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
            SELECT FROM registry.release k WHERE k.ordinal = r.ordinal AND k.state = 'ready'))
), waiting AS (
    INSERT INTO audit.pending (id, recorded_at) SELECT id, recorded_at FROM accepted
)
INSERT INTO audit.record (
    id, recorded_at, key_epoch, typ, op, outcome, status, agency, client, purpose,
    agreement, agreement_version, release, people, subjects, families, officer, case_ref,
    leaf, disclosures
)
SELECT
    id, recorded_at, key_epoch, typ, op, outcome, status, agency, client, purpose,
    agreement, agreement_version, release, people, subjects, families, officer, case_ref,
    leaf, disclosures
FROM accepted
RETURNING id
"""


async def record(connection: Connection, entries: Sequence[Entry]) -> set[UUID]:
    """Write the records of a batch durably; the ids of those that passed.

    Raises:
        asyncpg.PostgresError: nothing was written.
        asyncpg.InterfaceError, asyncpg.InternalClientError, OSError: the outcome is unknown.
    """
    columns = zip(*entries, strict=True)
    rows = await connection.fetch(RECORD, *map(list, columns))
    return {row["id"] for row in rows}
