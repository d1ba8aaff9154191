"""The reading side of releases: which one answers, as of when, and which there are."""

from dataclasses import dataclass
from datetime import date

import asyncpg

from dtsen.database import OUTAGES
from dtsen.errors import Fault, InvalidRequest, NoRelease, Unavailable


@dataclass(frozen=True, slots=True)
class ReleaseInForce:
    """A release that answers: its tables' ordinal, its id, its metadata version."""

    ordinal: int
    id: str
    metadata_version: str


# A release that was loaded and never activated has not been published to anybody.
_BY_ID = """
SELECT r.ordinal, r.id, r.metadata_version FROM registry.release r
WHERE r.id = $1 AND r.state = 'ready'
    AND EXISTS (SELECT FROM registry.activation a WHERE a.ordinal = r.ordinal)
"""

# The end of a day in Jakarta (WIB, UTC+7, no summer time).
_AT_END_OF = """
SELECT r.ordinal, r.id, r.metadata_version, r.state
FROM registry.activation a JOIN registry.release r ON r.ordinal = a.ordinal
WHERE a.activated_at < (($1::date + 1)::timestamp AT TIME ZONE 'Asia/Jakarta')
ORDER BY a.seq DESC LIMIT 1
"""

_PUBLISHED = """
SELECT r.id, r.metadata_version, r.cut_off, r.published, r.next_publication,
    p.ordinal IS NOT NULL AS active
FROM registry.release r LEFT JOIN registry.pointer p ON p.ordinal = r.ordinal
WHERE r.state = 'ready' AND EXISTS (SELECT FROM registry.activation a WHERE a.ordinal = r.ordinal)
ORDER BY r.cut_off, r.ordinal
"""


@dataclass(frozen=True, slots=True)
class PublishedRelease:
    """A release that is kept and was in force once: what agencies may know of it."""

    id: str
    metadata_version: str
    cut_off: date
    published: date
    next_publication: date | None
    active: bool


async def published_releases(pool: asyncpg.Pool) -> list[PublishedRelease]:
    """The releases that are kept and were ever in force, oldest first; at most one is active.

    Raises:
        Unavailable: the database could not be asked.
    """
    try:
        rows = await pool.fetch(_PUBLISHED)
    except OUTAGES:
        raise Unavailable from None
    return [PublishedRelease(**row) for row in rows]


async def release_as_of(pool: asyncpg.Pool, as_of: str | None) -> ReleaseInForce | None:
    """The release of an id, or the one active at the end of a day (WIB); None asked, None given.

    Raises:
        NoRelease: none was active then, or it is not kept any more.
        InvalidRequest: the text is neither an id nor a date.
        Unavailable: the database could not be asked.
    """
    if as_of is None:
        return None
    try:
        if "Q" in as_of:
            row = await pool.fetchrow(_BY_ID, as_of)
        else:
            row = await pool.fetchrow(_AT_END_OF, date.fromisoformat(as_of))
    except ValueError:
        raise InvalidRequest(faults=[Fault("/as_of", "not-a-date")]) from None
    except OUTAGES:
        raise Unavailable from None
    if row is None or row.get("state", "ready") != "ready":
        raise NoRelease
    return ReleaseInForce(row["ordinal"], row["id"], row["metadata_version"])
