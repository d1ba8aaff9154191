"""The statement of a search: what is asked for, as SQL over the log and its keyed index."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from dtsen.audit.opening import COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is searched for. None: any. `since` is included, `until` is not."""

    agency: str | None = None
    client: str | None = None
    officer: str | None = None
    subject: str | None = None
    family: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    operation: str | None = None
    outcome: str | None = None
    case_ref: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The last record of a page."""

    recorded_at: datetime
    id: UUID


class Sought(NamedTuple):
    """A keyed index under one month's key, and between which instants it can be mentioned."""

    value: bytes
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class PurposeOf:
    """A purpose of one version of an agency's agreement."""

    agency: str
    agreement: str
    version: int
    purpose: str


@dataclass(slots=True)
class Statement:
    """SQL and its arguments."""

    text: str = ""
    arguments: list[object] = field(default_factory=list)

    def put(self, value: object) -> str:
        """The placeholder of a value."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"


_SELECTED = ", ".join(f"r.{name}" for name in (*COLUMNS, "recorded_at", "leaf", "disclosures"))

# Newest first, so that only as many records are read as a page holds. A month's key is looked for
# in its month alone. OFFSET 0 keeps the planner from reading all records first.
_MENTIONED = """
SELECT m.recorded_at, m.record FROM audit.mention m
WHERE m.value = {value} AND m.recorded_at >= {since} AND m.recorded_at < {until}
"""
_ALSO = """EXISTS (SELECT FROM audit.mention o
    WHERE o.value = ANY ({values}::bytea[])
        AND o.recorded_at = m.recorded_at AND o.record = m.record)
"""
_BY_MENTION = """
SELECT r.* FROM ({mentioned}) AS m
CROSS JOIN LATERAL (
    SELECT {selected} FROM audit.record r
    WHERE r.recorded_at = m.recorded_at AND r.id = m.record AND {conditions}
    OFFSET 0
) AS r
WHERE {also}
ORDER BY m.recorded_at DESC, m.record DESC
LIMIT {most}
"""
_NONE = "SELECT NULL::timestamptz AS recorded_at, NULL::uuid AS record WHERE false"

_PAGE = """
SELECT {selected}
FROM audit.record r
WHERE {conditions}
ORDER BY r.recorded_at DESC, r.id DESC
LIMIT {most}
"""

_PURPOSES = """
SELECT agency, agreement, version, purpose FROM audit.legal_basis WHERE legal_basis = {basis}
"""

_BY_ID = """
SELECT {selected} FROM audit.record r WHERE r.id = {id}
"""


def page(
    wanted: Filter,
    *,
    agency: str | None,
    indexes: Sequence[Sequence[Sought]],
    span: tuple[datetime, datetime],
    place: Place | None,
    most: int,
    purposes: Sequence[PurposeOf] | None = None,
) -> Statement:
    """Records newest first. `agency`: only its records, whatever is wanted.

    `indexes`: for each person, family, officer or case that must be mentioned, its keyed index in
    each month (none held: nothing is found). `purposes`: only records of one of these; None: of
    any. `place`: go on after it.
    """
    made = Statement()
    since, until = made.put(span[0]), made.put(span[1])
    conditions = [f"r.recorded_at >= {since}", f"r.recorded_at < {until}"]
    equal = {
        "agency": wanted.agency,
        "client": wanted.client,
        "purpose": wanted.purpose,
        "op": wanted.operation,
        "outcome": wanted.outcome,
    }
    conditions += [
        f"r.{name} = {made.put(value)}" for name, value in equal.items() if value is not None
    ]
    if agency is not None:
        conditions.append(f"r.agency = {made.put(agency)}")
    if purposes is not None:
        conditions += _of_purposes(made, purposes)
    if place is not None:
        at, last = made.put(place.recorded_at), made.put(place.id)
        conditions.append(f"r.recorded_at <= {at}")
        conditions.append(f"(r.recorded_at, r.id) < ({at}, {last})")
    if indexes:
        made.text = _by_mention(made, indexes, conditions, most)
        return made
    made.text = _PAGE.format(
        selected=_SELECTED, conditions=" AND ".join(conditions), most=made.put(most)
    )
    return made


def _by_mention(
    made: Statement, indexes: Sequence[Sequence[Sought]], conditions: Sequence[str], most: int
) -> str:
    """Driven by whoever is named first; the others must be mentioned too."""
    first, *others = indexes
    mentioned = [
        _MENTIONED.format(
            value=made.put(one.value), since=made.put(one.since), until=made.put(one.until)
        )
        for one in first
    ]
    also = [_ALSO.format(values=made.put([one.value for one in other])) for other in others]
    return _BY_MENTION.format(
        mentioned="UNION ALL".join(mentioned) or _NONE,
        selected=_SELECTED,
        conditions=" AND ".join(conditions),
        also=" AND ".join(also) or "true",
        most=made.put(most),
    )


def _of_purposes(made: Statement, purposes: Sequence[PurposeOf]) -> list[str]:
    agencies = sorted({one.agency for one in purposes})
    columns = [
        made.put([getattr(one, name) for one in purposes])
        for name in ("agreement", "version", "purpose")
    ]
    named = ", ".join(
        f"{column}::{kind}[]" for column, kind in zip(columns, ("text", "int", "text"), strict=True)
    )
    return [
        f"r.agency = ANY ({made.put(agencies)}::text[])",
        f"(r.agreement, r.agreement_version, r.purpose) IN (SELECT * FROM unnest({named}))",  # noqa: S608 - names of ours
    ]


def purposes_on(legal_basis: str) -> Statement:
    """Purposes of all versions of all agreements that rest on a legal basis, as `PurposeOf`."""
    made = Statement()
    made.text = _PURPOSES.format(basis=made.put(legal_basis))
    return made


def by_id(record_id: UUID) -> Statement:
    """One record."""
    made = Statement()
    made.text = _BY_ID.format(selected=_SELECTED, id=made.put(record_id))
    return made
