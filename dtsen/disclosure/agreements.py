"""Applying and revoking agreements. Every version ever applied is kept."""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dtsen.keys import Keyring, Purpose
from schemas.agreement import Agreement, read_agreement


class AgreementRefused(Exception):
    """An agreement that cannot take effect as it is; nothing of it did."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One version of an agreement as it stands in the register."""

    id: str
    version: int
    agency: str
    state: str
    applied_at: datetime


# Behind a lock that waits, every recording statement waits too: better to give up and say so.
_LOCK = """
SET LOCAL lock_timeout = '5s';
LOCK TABLE disclosure.authority IN ACCESS EXCLUSIVE MODE
"""

_AGENCY = """
INSERT INTO disclosure.agency AS a (code, name, role, pairwise_version)
VALUES (%(code)s, %(name)s, %(role)s, %(version)s)
ON CONFLICT ON CONSTRAINT pk_agency DO UPDATE SET name = excluded.name, role = excluded.role
"""

_NEWEST = "SELECT max(version) FROM disclosure.agreement WHERE id = %s"

_ELSEWHERE = """
SELECT DISTINCT c.client_id
FROM disclosure.agreement g, jsonb_array_elements_text(g.terms -> 'clients') AS c (client_id)
WHERE g.state = 'in_force' AND g.id <> %s AND c.client_id = ANY (%s)
"""

_SUPERSEDE = """
UPDATE disclosure.agreement SET state = %s WHERE id = %s AND state = 'in_force'
"""

_INSERT = """
INSERT INTO disclosure.agreement (id, version, agency, document, terms, state)
VALUES (%s, %s, %s, %s, %s, 'in_force')
"""

_SET_AUTHORITY = "SELECT disclosure.set_authority('agreement', %s, %s, %s)"

_LIST = """
SELECT id, version, agency, state, applied_at FROM disclosure.agreement ORDER BY id, version
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


def apply(connection: psycopg.Connection, keyring: Keyring, text: str) -> Agreement:
    """Put the agreement of a YAML file in force, in place of its earlier version.

    Raises:
        AgreementInvalid: the file says what an agreement cannot say.
        AgreementRefused: its version is not newer, or a client is under another agreement.
        psycopg.errors.LockNotAvailable: requests in flight did not end within five seconds.
    """
    agreement = read_agreement(text)
    with connection.transaction():
        # First the lock: of two applied at once the second sees what the first did.
        connection.execute(_LOCK)
        _check(connection, agreement)
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
        connection.execute(
            _INSERT,
            (agreement.agreement, agreement.version, agreement.agency.code, text, terms),
        )
        connection.execute(_SET_AUTHORITY, (agreement.agreement, True, agreement.agency.code))
    return agreement


def revoke(connection: psycopg.Connection, agreement_id: str) -> None:
    """End an agreement now. When this returns, no answer by it is recorded any more.

    Raises:
        AgreementRefused: none of this id is in force.
        psycopg.errors.LockNotAvailable: requests in flight did not end within five seconds.
    """
    with connection.transaction():
        connection.execute(_LOCK)
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


def _check(connection: psycopg.Connection, agreement: Agreement) -> None:
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
