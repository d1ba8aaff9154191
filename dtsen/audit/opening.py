"""Opening stored records for whoever may see them; what cannot be opened says so.

A record is shown only if its leaf says what its columns say, and its personal members only if each
disclosure has its digest in the leaf. Anything else was changed after it was written.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import orjson
from cryptography.exceptions import InvalidTag

from dtsen.audit.record import AUDITORS_ONLY, RecordKeys, disclosure_digest, read_disclosures
from dtsen.audit.viewer import Viewer
from dtsen.keys import KeyMissing

SUBJECTS = {"subject": "nik", "subject_kk": "kk"}
"""Members that name people and families, and by which kind of number."""
IDENTIFYING = frozenset({*SUBJECTS, "q", "signature"})
"""Members that say who somebody is: whom a record is about, and by which ids they were sought."""
SIGNED_TOKEN_ENDS = timedelta(minutes=6)
"""A signature covers the token that it came with: it is shown once no such token is in force."""
COMMITMENTS = frozenset({"_sd", "_sd_alg"})

COLUMNS = {
    "id": "jti",
    "key_epoch": "ek",
    "typ": "typ",
    "op": "op",
    "outcome": "outcome",
    "status": "status",
    "agency": "agency",
    "client": "client",
    "purpose": "purpose",
    "agreement": "agreement",
    "agreement_version": "agreement_version",
    "release": "ds",
    "people": "n",
}
"""Columns of a record, each with the member of its leaf that says the same."""

Stored: TypeAlias = Mapping[str, Any]
"""A row of `audit.record`: `COLUMNS`, `recorded_at`, `leaf`, `disclosures`."""

Unopenable: TypeAlias = Literal["mismatch", "key-missing"]
"""Why a record cannot be opened: it was changed, or the key of its month is no longer held."""


class Mismatch(ValueError):
    """A record is not what was written."""


def open_record(
    row: Stored, viewer: Viewer, keys: Callable[[str], RecordKeys], now: datetime
) -> dict[str, object]:
    """What a viewer may see now of a record that is open to it; `keys` gives a month's keys.

    Member `unopenable` is present only where something could not be opened.
    """
    shown: dict[str, object] = {
        "jti": str(row["id"]),
        "recorded_at": row["recorded_at"].isoformat(timespec="microseconds"),
    }
    try:
        leaf = read_leaf(row)
    except Mismatch:
        return shown | _unopenable("mismatch")
    shown |= {name: value for name, value in leaf.items() if name not in COMMITMENTS}
    try:
        personal = read_personal(row, leaf, keys(row["key_epoch"]))
    except Mismatch:
        return shown | _unopenable("mismatch")
    except KeyMissing:
        return shown | _unopenable("key-missing")
    hidden = _hidden(viewer, row["agency"], personal)
    if personal.get("signature") and now < row["recorded_at"] + SIGNED_TOKEN_ENDS:
        hidden |= {"signature"}
    shown |= {name: value for name, value in personal.items() if name not in hidden}
    return shown | {name: shown[name] or [] for name in SUBJECTS if name in shown}


def read_leaf(row: Stored) -> dict[str, Any]:
    """The members of a record's leaf.

    Raises:
        Mismatch: it is no leaf, or its columns say something else.
    """
    try:
        leaf = orjson.loads(row["leaf"])
    except ValueError:
        raise Mismatch from None
    if not isinstance(leaf, dict):
        raise Mismatch
    said = {column: leaf.get(member) for column, member in COLUMNS.items()}
    if said != {column: row[column] for column in COLUMNS} | {"id": str(row["id"])}:
        raise Mismatch
    return leaf


def read_personal(row: Stored, leaf: Mapping[str, Any], keys: RecordKeys) -> dict[str, object]:
    """The personal members of a record.

    Raises:
        Mismatch: they do not open, or the leaf holds no digest of one of them.
    """
    try:
        disclosures = keys.unseal(row["id"], row["disclosures"])
        opened = read_disclosures(disclosures)
    except (InvalidTag, ValueError):
        raise Mismatch from None
    digests = leaf.get("_sd")
    if not isinstance(digests, list) or len(opened) < len(disclosures):
        raise Mismatch
    if any(disclosure_digest(disclosure) not in digests for disclosure in disclosures):
        raise Mismatch
    signature = opened.get("signature")
    if isinstance(signature, dict):
        # With it, whoever has the leaf can see that the log was told of this signature.
        place = list(opened).index("signature")
        opened["signature"] = signature | {"disclosure": disclosures[place].decode()}
    return opened


def _hidden(viewer: Viewer, agency: str | None, personal: Mapping[str, object]) -> frozenset[str]:
    """Personal members that a viewer may not see in a record of an agency."""
    if viewer.oversees:
        return frozenset() if viewer.sees_subjects(agency) else IDENTIFYING
    # The log tells an agency no number that its answers did not: not the members' NIKs of a family
    # asked for by KK, nor the KK of a person asked for by NIK.
    asked = personal.get("q")
    by = asked.get("by") if isinstance(asked, dict) else None
    known = {by, *viewer.identifiers}
    return AUDITORS_ONLY.union(member for member, kind in SUBJECTS.items() if kind not in known)


def _unopenable(why: Unopenable) -> dict[str, object]:
    return {"unopenable": why}
