"""Applying and revoking agreements. Every version ever applied is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dtsen.acts import ActRefused
from dtsen.disclosure.keeping import keep_plans
from dtsen.disclosure.locking import lock_authority
from dtsen.keys import Keyring, Purpose
from schemas.agreement import Agreement, read_agreement


class AgreementRefused(ActRefused):
    """An agreement that cannot take effect as it is; nothing of it did."""


@dataclass(frozen=True, slots=True)
class Signed:
    """How a version came to be: upon which one (None: upon none), what was signed, by whom."""

    base: int | None
    statement: bytes
    signatures: Sequence[tuple[str, bytes]]
    act: UUID | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """One version of an agreement as it stands in the register."""

    id: str
    version: int
    agency: str
    state: str
    applied_at: datetime
    signed_by: list[str]
    """Names of whoever signed it: two where it opened anything, one of a narrowing."""


_AGENCY = """
INSERT INTO disclosure.agency AS a (code, name, role, pairwise_version)
VALUES (%(code)s, %(name)s, %(role)s, %(version)s)
ON CONFLICT ON CONSTRAINT pk_agency DO UPDATE SET name = excluded.name, role = excluded.role
"""

_NEWEST = "SELECT max(version) FROM disclosure.agreement WHERE id = %s"

_CURRENT = "SELECT version FROM disclosure.agreement WHERE id = %s AND state = 'in_force'"

_ELSEWHERE = """
SELECT DISTINCT c.client_id
FROM disclosure.agreement g, jsonb_array_elements_text(g.terms -> 'clients') AS c (client_id)
WHERE g.state = 'in_force' AND g.id <> %s AND c.client_id = ANY (%s)
"""

_SUPERSEDE = """
UPDATE disclosure.agreement SET state = %s WHERE id = %s AND state = 'in_force'
"""

_INSERT = """
INSERT INTO disclosure.agreement
    (id, version, agency, document, terms, state, base, statement, signatures, act)
VALUES (%s, %s, %s, %s, %s, 'in_force', %s, %s, %s, %s)
"""

_SET_AUTHORITY = "SELECT disclosure.set_authority('agreement', %s, %s, %s)"

_LIST = """
SELECT id, version, agency, state, applied_at, ARRAY(
    SELECT s ->> 'name' FROM jsonb_array_elements(coalesce(signatures, '[]')) s) AS signed_by
FROM disclosure.agreement ORDER BY id, version
"""

_IN_FORCE = """
SELECT terms::text FROM disclosure.agreement WHERE state = 'in_force' ORDER BY id
"""

_TERMS = """
SELECT terms::text FROM disclosure.agreement
WHERE id = %(id)s AND (version = %(version)s::integer
    OR %(version)s::integer IS NULL AND state = 'in_force')
"""

_DOCUMENT = """
SELECT document FROM disclosure.agreement
WHERE id = %(id)s AND (%(version)s::integer IS NULL OR version = %(version)s)
ORDER BY version DESC LIMIT 1
"""


def apply(
    connection: psycopg.Connection, keyring: Keyring, text: str, signed: Signed | None = None
) -> Agreement:
    """Put the agreement of a YAML file in force, in place of its earlier version.

    Whether anybody had to sign it is decided by who calls this: `dtsen.disclosure.applying`.

    Raises:
        AgreementInvalid: the file says what an agreement cannot say.
        AgreementRefused: its version is not newer, another took the place of the one that it was
            signed upon, or a client is under another agreement.
        AuthorityBusy: requests in flight did not end.
    """
    agreement = read_agreement(text)
    with connection.transaction():
        # First the lock: of two applied at once the second sees what the first did.
        lock_authority(connection)
        check(connection, agreement)
        base = current_version(connection, agreement.agreement)
        if signed is not None and signed.base != base:
            raise AgreementRefused(
                "another version came into force since this one was signed; compare and sign again"
            )
        connection.execute(
            _AGENCY,
            {
                "code": agreement.agency.code,
                "name": agreement.agency.name,
                "role": agreement.agency.role,
                "version": keyring.current(Purpose.PAIRWISE),
            },
        )
        connection.execute(_SUPERSEDE, ("superseded", agreement.agreement))
        terms = Jsonb(agreement.model_dump(mode="json", by_alias=True))
        who = (agreement.agreement, agreement.version, agreement.agency.code)
        connection.execute(_INSERT, (*who, text, terms, base, *_signed(signed)))
        keep_plans(connection, [agreement])
        connection.execute(_SET_AUTHORITY, (agreement.agreement, True, agreement.agency.code))
    return agreement


def _signed(signed: Signed | None) -> tuple[bytes | None, Jsonb | None, UUID | None]:
    if signed is None:
        return None, None, None
    named = [{"name": name, "signature": made.hex()} for name, made in signed.signatures]
    return signed.statement, Jsonb(named), signed.act


def current_version(connection: psycopg.Connection, agreement_id: str) -> int | None:
    """The version that is in force, or None."""
    row = connection.execute(_CURRENT, (agreement_id,)).fetchone()
    return row[0] if row else None


def revoke(connection: psycopg.Connection, agreement_id: str) -> None:
    """End an agreement now. When this returns, no answer by it is recorded any more.

    Raises:
        AgreementRefused: none of this id is in force.
        AuthorityBusy: requests in flight did not end.
    """
    with connection.transaction():
        lock_authority(connection)
        ended = connection.execute(_SUPERSEDE, ("revoked", agreement_id)).rowcount
        if ended == 0:
            raise AgreementRefused("no agreement of this id is in force")
        connection.execute(_SET_AUTHORITY, (agreement_id, False, None))


def named(agreement: Agreement) -> dict[str, object]:
    """How the record of an administrative act names an agreement."""
    return {"agreement": agreement.agreement, "agreement_version": agreement.version}


def every_version(connection: psycopg.Connection) -> list[Applied]:
    """All versions ever applied, oldest first within an agreement."""
    with connection.cursor(row_factory=class_row(Applied)) as cursor:
        return cursor.execute(_LIST).fetchall()


def in_force(connection: psycopg.Connection) -> list[Agreement]:
    """All agreements in force."""
    rows = connection.execute(_IN_FORCE).fetchall()
    return [Agreement.model_validate_json(row[0]) for row in rows]


def terms(connection: psycopg.Connection, agreement_id: str, version: int | None) -> Agreement:
    """A version as it was applied (None: the one in force).

    Raises:
        AgreementRefused: there is none.
    """
    asked = {"id": agreement_id, "version": version}
    row = connection.execute(_TERMS, asked).fetchone()
    if row is None:
        raise AgreementRefused("no such agreement, or none of this number is in force")
    return Agreement.model_validate_json(row[0])


def document(connection: psycopg.Connection, agreement_id: str, version: int | None) -> str | None:
    """The YAML text of a version (None: the newest) as it was applied."""
    asked = {"id": agreement_id, "version": version}
    row = connection.execute(_DOCUMENT, asked).fetchone()
    return row[0] if row else None


def check(connection: psycopg.Connection, agreement: Agreement) -> None:
    """Check an agreement against those that are there.

    Raises:
        AgreementRefused: its version is not newer, or a client is under another agreement.
    """
    newest = connection.execute(_NEWEST, (agreement.agreement,)).fetchone()
    if newest is not None and newest[0] is not None and newest[0] >= agreement.version:
        raise AgreementRefused(
            f"version {agreement.version} is not newer than version {newest[0]}, already applied"
        )
    elsewhere = connection.execute(
        _ELSEWHERE, (agreement.agreement, list(agreement.clients))
    ).fetchall()
    if elsewhere:
        names = ", ".join(row[0] for row in elsewhere)
        raise AgreementRefused(f"already under another agreement in force: {names}")
