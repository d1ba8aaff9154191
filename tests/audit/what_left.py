"""What left with an answer, read off the wire alone; and what its opened record says of it.

The reading shares nothing with the code that wrote either: it walks the bytes, knows an opaque id
when it sees one, and takes whatever stands beside `status` in a person for a variable.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from dtsen.audit.opening import COLUMNS, read_leaf, read_personal
from dtsen.audit.record import RecordKeys
from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.keys import Keyring, Purpose

ENVELOPE = {"id", "status", "keluarga", "members"}
_ROW = "SELECT {columns}, recorded_at, leaf, disclosures FROM audit.record WHERE id = %s"


@dataclass
class Wire:
    """What an answer's bytes hold of people and families."""

    people: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)

    def walk(self, value: Any) -> "Wire":
        if isinstance(value, list):
            for one in value:
                self.walk(one)
        if isinstance(value, dict):
            self._person_or_family(value)
            for one in value.values():
                self.walk(one)
        return self

    def _person_or_family(self, value: dict[str, Any]) -> None:
        known_as = value.get("id")
        if not isinstance(known_as, str):
            return
        if known_as.startswith("i"):
            self.people.add(known_as)
            kind = "anggota"
        else:
            self.families.add(known_as)
            kind = "keluarga"
        self.variables.update(f"{kind}.{name}" for name in value if name not in ENVELOPE)


def read_wire(answer) -> Wire:
    """People, families and variables in the body of an answer."""
    lines = answer.text.splitlines() if "ndjson" in answer.headers["content-type"] else None
    bodies = map(json.loads, lines) if lines is not None else [answer.json()]
    wire = Wire()
    for body in bodies:
        wire.walk(body)
    return wire


@dataclass(frozen=True)
class Opened:
    """A record as only someone with every key and the whole database sees it."""

    leaf: dict[str, Any]
    personal: dict[str, Any]
    epoch: str


class Vault:
    """Opens records of a sandbox straight from its tables and key files."""

    def __init__(self, sandbox) -> None:
        self._keyring = Keyring(sandbox.home / "keys")
        self._owner = sandbox.owner()
        self._ids = PairwiseIds(self._keyring)

    def close(self) -> None:
        self._owner.close()

    def open(self, answer) -> Opened:
        """The record that an answer's receipt names; its leaf is what the receipt promises."""
        receipt = answer.headers["dtsen-access-record"]
        record_id, leaf_hash = UUID(receipt[1:37]), receipt.split("leaf=:")[1].rstrip(":")
        statement = _ROW.format(columns=", ".join(COLUMNS))
        with self._owner.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(statement, (record_id,)).fetchone()
        assert row is not None, "answered without a record"
        hashed = hashlib.sha256(b"\x00" + row["leaf"]).digest()
        assert base64.b64encode(hashed).decode() == leaf_hash
        leaf = read_leaf(row)
        keys = RecordKeys(self._keyring, row["key_epoch"])
        return Opened(leaf, read_personal(row, leaf, keys), row["key_epoch"])

    def identifier(self, agency: str, known_as: str) -> str:
        """The NIK or KK behind an opaque id."""
        found = self._ids.resolve(agency, Kind(known_as[0]), known_as)
        assert found is not None
        return found

    def digest(self, opened: Opened, body: bytes) -> str:
        """The answer's digest made anew, as the record format says it."""
        key = self._secret(opened.epoch)
        record_id = UUID(opened.leaf["jti"]).bytes
        return base64.b64encode(hmac.new(key, record_id + body, hashlib.sha256).digest()).decode()

    def _secret(self, epoch: str) -> bytes:
        return self._keyring.secret(Purpose.ANSWERS, epoch)
