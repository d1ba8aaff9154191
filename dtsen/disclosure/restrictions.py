"""Restrictions: a person marked, limited or hidden, set and lifted by two people.

What both sign says kind and reason, and whom only as a salted digest: number and salt lie beside
the act while it waits and are gone once it took effect, so that no NIK stays in what is kept for
ever. The second person is shown the number itself.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from dtsen.acts import Act, ActRefused, Signer
from dtsen.audit.administration import Deed
from dtsen.audit.two_person import Effect, propose
from dtsen.disclosure.locking import lock_authority
from dtsen.keys import Keyring
from schemas.restrictions import KINDS, REASONS

SET = "restriction.set"
LIFT = "restriction.lift"
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Restricted:
    """One person under a restriction."""

    nik: str
    kind: str
    reason: str | None
    set_at: datetime


_LIST = "SELECT nik, kind, reason, set_at FROM disclosure.restriction ORDER BY set_at, nik"
_FIND = "SELECT kind FROM disclosure.restriction WHERE nik = %s"
_WAIT = "INSERT INTO disclosure.restriction_waiting (act, nik, salt) VALUES (%s, %s, %s)"
_WAITING = "SELECT nik, salt FROM disclosure.restriction_waiting WHERE act = %s"
_DONE = "DELETE FROM disclosure.restriction_waiting WHERE act = %s"
_STALE = """
DELETE FROM disclosure.restriction_waiting w USING acts.act a
WHERE a.id = w.act AND a.expires_at <= clock_timestamp()
"""
_SET = """
INSERT INTO disclosure.restriction AS r (nik, kind, reason, act) VALUES (%s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT pk_restriction
DO UPDATE SET kind = excluded.kind, reason = excluded.reason, act = excluded.act,
    set_at = clock_timestamp()
"""
_LIFT = "DELETE FROM disclosure.restriction WHERE nik = %s"
_EPOCH = "SELECT disclosure.set_authority('restrictions', '', true, NULL)"


def propose_set(
    connection: psycopg.Connection,
    keyring: Keyring,
    signer: Signer,
    nik: str,
    *,
    kind: str,
    reason: str,
) -> Act:
    """Propose to restrict a person, or to restrict them otherwise.

    Raises:
        ActRefused: no such kind or reason, one that does not go with the other, or the signer is
            not enrolled with this key.
    """
    known = REASONS.get(reason)
    if kind not in KINDS or known is None:
        raise ActRefused(f"kinds are {', '.join(KINDS)}; reasons are {', '.join(REASONS)}")
    if kind not in known.kinds:
        raise ActRefused(f"for {reason} a person can be under {' or '.join(known.kinds)} alone")
    return _propose(connection, keyring, signer, nik, SET, {"kind": kind, "reason": reason})


def propose_lift(connection: psycopg.Connection, keyring: Keyring, signer: Signer, nik: str) -> Act:
    """Propose to lift a person's restriction.

    Raises:
        ActRefused: the person is under none, or the signer is not enrolled with this key.
    """
    row = connection.execute(_FIND, (nik,)).fetchone()
    if row is None:
        raise ActRefused("this person is under no restriction")
    return _propose(connection, keyring, signer, nik, LIFT, {"kind": row[0]})


def every_restriction(connection: psycopg.Connection) -> list[Restricted]:
    """Everybody under a restriction now, oldest first."""
    with connection.cursor(row_factory=class_row(Restricted)) as cursor:
        return cursor.execute(_LIST).fetchall()


def whom(connection: psycopg.Connection, act: Act) -> str:
    """The NIK that a waiting act is about.

    Raises:
        ActRefused: it waits no more, or what lies beside it is not what was signed.
    """
    row = connection.execute(_WAITING, (act.id,)).fetchone()
    if row is None:
        raise ActRefused("this act waits no more")
    nik, salt = row
    if _digest(salt, nik) != act.body["subject"]:
        raise ActRefused("the number beside this act is not the one that was signed")
    return str(nik)


def _propose(  # noqa: PLR0917 - its two callers give all
    connection: psycopg.Connection,
    keyring: Keyring,
    signer: Signer,
    nik: str,
    act_kind: str,
    body: Mapping[str, object],
) -> Act:
    salt = secrets.token_bytes(_SALT_BYTES)
    with connection.transaction():
        connection.execute(_STALE)
        said = {**body, "subject": _digest(salt, nik)}
        act = propose(connection, keyring, signer, act_kind, said)
        connection.execute(_WAIT, (act.id, nik, salt))
    return act


def _digest(salt: bytes, nik: str) -> str:
    return hashlib.sha256(salt + nik.encode()).hexdigest()


def _set(connection: psycopg.Connection, _: Keyring, act: Act, deed: Deed) -> str:
    nik, body = whom(connection, act), act.body
    lock_authority(connection)
    connection.execute(_SET, (nik, body["kind"], body["reason"], act.id))
    _finish(connection, act, deed, nik)
    return f"the person is under restriction {body['kind']}"


def _lift(connection: psycopg.Connection, _: Keyring, act: Act, deed: Deed) -> str:
    nik = whom(connection, act)
    lock_authority(connection)
    if connection.execute(_LIFT, (nik,)).rowcount == 0:
        raise ActRefused("this person is under no restriction any more")
    _finish(connection, act, deed, nik)
    return "the person is under no restriction"


def _finish(connection: psycopg.Connection, act: Act, deed: Deed, nik: str) -> None:
    connection.execute(_EPOCH)
    connection.execute(_DONE, (act.id,))
    deed.personal |= {"subject": [nik], "q": dict(act.body)}


EFFECTS: Mapping[str, Effect] = {SET: _set, LIFT: _lift}
"""What its acts do once two people have signed them."""
