"""Records of administrative acts, each in the transaction of its act: both are durable, or neither.

An operator's act is in the same log as every access, so that an auditor sees who changed what the
agencies may do. Auditors alone see these records: they belong to no agency.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from dtsen.audit.record import RecordKeys, make_leaf, new_record_id, node, software
from dtsen.clock import key_epoch
from dtsen.keys import Keyring

TYP = "admin"
DONE = "done"
REFUSED = "refused"


@dataclass(slots=True)
class Deed:
    """What is said of an act in its record; the act itself may still add to it."""

    op: str
    outcome: str = DONE
    clear: dict[str, object] = field(default_factory=dict)
    """Members that are not personal; `client`, `agreement`, `agreement_version` and `ds` say what
    the act was about, and are what it is found by."""
    personal: dict[str, object] = field(default_factory=dict)
    """Personal members by their names in `dtsen.audit.record.PERSONAL`."""


_NOW = "SELECT clock_timestamp()"
_RECORD = """
WITH r AS (
    INSERT INTO audit.record (
        id, recorded_at, key_epoch, typ, op, outcome, status, agency, client, purpose,
        agreement, agreement_version, release, people, subjects, families, officer, case_ref,
        leaf, disclosures
    ) VALUES (
        %(id)s, clock_timestamp(), %(key_epoch)s, %(typ)s, %(op)s, %(outcome)s, 0, NULL,
        %(client)s, NULL, %(agreement)s, %(agreement_version)s, %(ds)s, 0, %(subjects)s,
        %(families)s, %(officer)s, %(case_ref)s, %(leaf)s, %(disclosures)s
    )
    RETURNING id, recorded_at
)
INSERT INTO audit.pending (id, recorded_at) SELECT id, recorded_at FROM r
"""


@contextmanager
def recorded(
    connection: psycopg.Connection, keyring: Keyring, op: str, **clear: object
) -> Iterator[Deed]:
    """One transaction around an act, which ends by recording it; a refusal is recorded alone.

    Raises:
        KeyMissing: this month's keys are not held: nothing was done.
    """
    deed = Deed(op, clear=clear)
    try:
        with connection.transaction():
            yield deed
            record(connection, keyring, deed)
    except Exception as error:
        refusal = Deed(op, REFUSED, clear, {"reason": [type(error).__name__]})
        if not connection.broken:
            with connection.transaction():
                record(connection, keyring, refusal)
        raise


def record(connection: psycopg.Connection, keyring: Keyring, deed: Deed) -> UUID:
    """Write the record of an act inside the present transaction; its id.

    Raises:
        KeyMissing: this month's keys are not held.
    """
    now = _now(connection)
    keys = RecordKeys(keyring, key_epoch(now))
    record_id = new_record_id(int(now.timestamp() * 1000))
    operator = f"{getpass.getuser()}@{node()}"
    personal = {"officer": operator, "auth": {"method": "operator"}, **deed.personal}
    clear = {
        "agency": None,
        "agreement": None,
        "agreement_version": None,
        "client": None,
        "ds": None,
        "iat": now.isoformat(timespec="milliseconds"),
        "n": 0,
        "node": node(),
        "op": deed.op,
        "outcome": deed.outcome,
        "status": 0,
        "sw": software(),
        "typ": TYP,
        **deed.clear,
    }
    leaf = make_leaf(keys, record_id, clear, personal)
    values = {
        "id": record_id,
        "key_epoch": keys.epoch,
        "subjects": keys.packed("nik", _texts(personal.get("subject"))),
        "families": keys.packed("kk", _texts(personal.get("subject_kk"))),
        "officer": keys.index("officer", f"|{personal['officer']}"),
        "case_ref": _case(keys, personal.get("case_ref")),
        "leaf": leaf.content,
        "disclosures": leaf.disclosures,
    }
    connection.execute(_RECORD, clear | values)
    return record_id


def _now(connection: psycopg.Connection) -> datetime:
    row = connection.execute(_NOW).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gives one row")
    instant: datetime = row[0]
    return instant.astimezone(UTC)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _case(keys: RecordKeys, case_ref: object) -> bytes | None:
    return keys.index("case", f"|{case_ref}") if isinstance(case_ref, str) else None
