"""The releases that were loaded, for operators: which are ready, in force, destroyed."""

from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

_EVERY = """
SELECT r.id, r.ordinal, r.metadata_version, r.cut_off, r.published, r.next_publication, r.state,
    r.individuals, r.families, r.loaded_at, r.destroyed_at, p.ordinal IS NOT NULL AS in_force
FROM registry.release r LEFT JOIN registry.pointer p ON p.ordinal = r.ordinal
ORDER BY r.ordinal
"""


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """One release as it was loaded: what it is, how many it counts, what became of it."""

    id: str
    ordinal: int
    metadata_version: str
    cut_off: date
    published: date
    next_publication: date | None
    state: str
    individuals: int
    families: int
    loaded_at: datetime
    destroyed_at: datetime | None
    in_force: bool


def every_release(connection: psycopg.Connection) -> list[ListedRelease]:
    """List every release ever loaded, in the order of loading."""
    with connection.cursor(row_factory=class_row(ListedRelease)) as cursor:
        return cursor.execute(_EVERY).fetchall()


def kept_releases(connection: psycopg.Connection) -> list[ListedRelease]:
    """List the releases that are ready, in the order of loading."""
    return [release for release in every_release(connection) if release.state == "ready"]
