"""Which releases there are."""

from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

_KEPT = """
SELECT r.ordinal, r.id, r.metadata_version, r.cut_off, r.published, r.next_publication, r.state,
    r.individuals, r.families, r.loaded_at, r.destroyed_at,
    (r.ordinal = p.ordinal) IS TRUE AS active
FROM registry.release r CROSS JOIN registry.pointer p
WHERE r.state <> 'destroyed'
ORDER BY r.ordinal
"""


@dataclass(frozen=True, slots=True)
class KeptRelease:
    """A release whose tables exist."""

    ordinal: int
    id: str
    metadata_version: str
    cut_off: date
    published: date
    next_publication: date | None
    state: str
    individuals: int
    families: int
    loaded_at: datetime
    destroyed_at: datetime | None
    active: bool


def kept_releases(connection: psycopg.Connection) -> list[KeptRelease]:
    """All releases kept, in the order in which they were loaded."""
    with connection.cursor(row_factory=class_row(KeptRelease)) as cursor:
        return cursor.execute(_KEPT).fetchall()
