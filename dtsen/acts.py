"""Acts that take two people: proposed and signed by one, approved and signed by another.

What is signed is a statement: canonical JSON (RFC 8785) of the act's id, kind and body. Both sign
`dtsen-act-v1`, a line feed and the statement's SHA-256, with Ed25519 (RFC 8032), by keys of their
own that this house never holds. The database refuses a second signer who is missing, the same or
not enrolled; this module checks the signatures. Functions run inside the caller's transaction, so
that an act and its effect are one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from psycopg.rows import class_row

LIFETIME = timedelta(days=14)
"""How long a proposal may wait for its approval."""
ENOUGH = 2
"""Approvers that must be enrolled before enrolling itself takes two people."""
_CONTEXT = b"dtsen-act-v1\n"


class ActRefused(Exception):
    """An act that may not be proposed or approved so; the text says why, for an operator."""


@dataclass(frozen=True, slots=True)
class Approver:
    """One enrolled person."""

    name: str
    key: bytes
    enrolled_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Signer:
    """A person's name and private key, as their file holds them."""

    name: str
    key: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key (RFC 8032)."""
        return self.key.public_key().public_bytes_raw()

    def sign(self, digest: bytes) -> bytes:
        """Sign the SHA-256 of a statement."""
        return self.key.sign(_CONTEXT + digest)


@dataclass(frozen=True, slots=True)
class Act:
    """A proposed act and who signed it."""

    id: UUID
    kind: str
    statement: bytes
    digest: bytes
    proposed_by: str
    proposal: bytes
    proposed_at: datetime
    expires_at: datetime
    approved_by: str | None
    approval: bytes | None
    approved_at: datetime | None

    @property
    def body(self) -> Mapping[str, Any]:
        """What is to be done, as its kind defines it."""
        said: dict[str, Any] = orjson.loads(self.statement)
        body: dict[str, Any] = said["body"]
        return body


def read_signer(path: Path) -> Signer:
    """The approver of a file `{name, private_jwk}`.

    Raises:
        ActRefused: the file is no approver's.
    """
    try:
        held = json.loads(path.read_bytes())
        key = OKPKey.import_key(held["private_jwk"]).private_key
        name = held["name"]
    except (OSError, ValueError, KeyError, TypeError, JoseError):
        raise ActRefused(f"{path} is no approver's file") from None
    if not isinstance(key, Ed25519PrivateKey) or not isinstance(name, str):
        raise ActRefused(f"{path} holds no Ed25519 key of an approver")
    return Signer(name, key)


_ENROLL = """
INSERT INTO acts.approver (name, key) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING name
"""
_RETIRE = """
UPDATE acts.approver SET retired_at = clock_timestamp()
WHERE name = %s AND retired_at IS NULL RETURNING name
"""
_APPROVERS = (
    "SELECT name, key, enrolled_at, retired_at FROM acts.approver ORDER BY enrolled_at, name"
)
_KEY = "SELECT key FROM acts.approver WHERE name = %s AND retired_at IS NULL FOR SHARE"
# Enrolling follows one another, so that two at once cannot both be the last that needs nobody.
_LOCK = "LOCK TABLE acts.approver IN SHARE ROW EXCLUSIVE MODE"

_COLUMNS = """
id, kind, statement, digest, proposed_by, proposal, proposed_at, expires_at,
approved_by, approval, approved_at
"""
_PROPOSE = f"""
INSERT INTO acts.act (id, kind, statement, digest, proposed_by, proposal, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s)
RETURNING {_COLUMNS}
"""  # noqa: S608 - names of columns
_ACT = f"SELECT {_COLUMNS} FROM acts.act WHERE id = %s FOR UPDATE"  # noqa: S608 - names of columns
_APPROVE = f"""
UPDATE acts.act SET approved_by = %s, approval = %s, approved_at = clock_timestamp()
WHERE id = %s
RETURNING {_COLUMNS}
"""  # noqa: S608 - names of columns
_WAITING = f"""
SELECT {_COLUMNS} FROM acts.act
WHERE approved_by IS NULL AND expires_at > clock_timestamp() ORDER BY proposed_at
"""  # noqa: S608 - names of columns


def approvers(connection: psycopg.Connection) -> list[Approver]:
    """All approvers ever enrolled, oldest first."""
    with connection.cursor(row_factory=class_row(Approver)) as cursor:
        return cursor.execute(_APPROVERS).fetchall()


def needs_nobody(connection: psycopg.Connection) -> bool:
    """Whether enrolling still needs no approval: fewer than two were ever enrolled.

    Until the transaction ends nobody else enrols.
    """
    connection.execute(_LOCK)
    return len(approvers(connection)) < ENOUGH


def enroll(connection: psycopg.Connection, name: str, key: bytes) -> None:
    """Let a person approve from now on; `key`: 32 bytes of an Ed25519 public key.

    Raises:
        ActRefused: the name or the key was enrolled before, or is malformed.
    """
    try:
        enrolled = connection.execute(_ENROLL, (name, key)).fetchone()
    except psycopg.errors.CheckViolation:
        raise ActRefused("a name has 1 to 64 of a-z 0-9 . _ -, a key 32 bytes") from None
    if enrolled is None:
        raise ActRefused("this name or this key was enrolled before")


def retire(connection: psycopg.Connection, name: str) -> None:
    """Let a person sign nothing more.

    Raises:
        ActRefused: nobody of this name is enrolled.
    """
    if connection.execute(_RETIRE, (name,)).fetchone() is None:
        raise ActRefused("nobody of this name is enrolled")


def propose(
    connection: psycopg.Connection, signer: Signer, kind: str, body: Mapping[str, object]
) -> Act:
    """Propose an act, signed by the first person; it takes effect when a second approves.

    Raises:
        ActRefused: the signer is not enrolled with this key.
    """
    _check_enrolled(connection, signer)
    act_id = uuid4()
    said = {"act": str(act_id), "body": body, "kind": kind, "v": 1}
    statement = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(statement).digest()
    values = (act_id, kind, statement, digest, signer.name, signer.sign(digest), LIFETIME)
    with connection.cursor(row_factory=class_row(Act)) as cursor:
        proposed = cursor.execute(_PROPOSE, values).fetchone()
    if proposed is None:
        raise AssertionError("an INSERT returns its row")
    return proposed


def approve(connection: psycopg.Connection, signer: Signer, act_id: UUID) -> Act:
    """Sign an act as the second person; the caller makes it take effect in this transaction.

    Raises:
        ActRefused: it does not wait, is not what was signed, or this is no second person.
    """
    _check_enrolled(connection, signer)
    waiting = find(connection, act_id)
    if waiting.approved_by is not None:
        raise ActRefused("this act is approved already")
    if waiting.proposed_by == signer.name:
        raise ActRefused("an act needs a second person")
    check_signature(connection, waiting.proposed_by, waiting.digest, waiting.proposal)
    values = (signer.name, signer.sign(waiting.digest), act_id)
    try:
        with connection.cursor(row_factory=class_row(Act)) as cursor:
            approved = cursor.execute(_APPROVE, values).fetchone()
    except psycopg.errors.CheckViolation as error:
        raise ActRefused(error.diag.message_primary or "refused by the database") from None
    if approved is None:
        raise AssertionError("an UPDATE of a locked row returns it")
    return approved


def find(connection: psycopg.Connection, act_id: UUID) -> Act:
    """One act, locked until the transaction ends.

    Raises:
        ActRefused: there is none of this id.
    """
    with connection.cursor(row_factory=class_row(Act)) as cursor:
        found = cursor.execute(_ACT, (act_id,)).fetchone()
    if found is None:
        raise ActRefused("no act of this id")
    return found


def waiting_acts(connection: psycopg.Connection) -> list[Act]:
    """Acts that wait for their approval, oldest first."""
    with connection.cursor(row_factory=class_row(Act)) as cursor:
        return cursor.execute(_WAITING).fetchall()


def check_signature(
    connection: psycopg.Connection, name: str, digest: bytes, signature: bytes
) -> None:
    """Check what an enrolled person signed.

    Raises:
        ActRefused: nobody of this name is enrolled any more, or the signature is not theirs.
    """
    row = connection.execute(_KEY, (name,)).fetchone()
    if row is None:
        raise ActRefused(f"{name} is not enrolled (any more)")
    try:
        Ed25519PublicKey.from_public_bytes(row[0]).verify(signature, _CONTEXT + digest)
    except InvalidSignature:
        raise ActRefused(f"the signature is not that of {name}") from None


def _check_enrolled(connection: psycopg.Connection, signer: Signer) -> None:
    row = connection.execute(_KEY, (signer.name,)).fetchone()
    if row is None or row[0] != signer.public:
        raise ActRefused(f"{signer.name} is not enrolled with this key")
