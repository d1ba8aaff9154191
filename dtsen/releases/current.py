"""The reading side of releases: which one answers, as of when, and which there are."""

from dataclasses import dataclass
from datetime import date

import asyncpg

from dtsen.errors import Fault, InvalidRequest, NoRelease, Unavailable


@dataclass(frozen=True, slots=True)
class ReleaseInForce:
    """A release that answers: its tables' ordinal, its id, its metadata version."""

    ordinal: int
    id: str
    metadata_version: str


_BY_ID = """
SELECT ordinal, id, metadata_version FROM registry.release WHERE id = $1 AND state = 'ready'
"""

# The end of a day in Jakarta (WIB, UTC+7, no summer time).
_AT_END_OF = """
SELECT r.ordinal, r.id, r.metadata_version, r.state
FROM registry.activation a JOIN registry.release r ON r.ordinal = a.ordinal
WHERE a.activated_at < (($1::date + 1)::timestamp AT TIME ZONE 'Asia/Jakarta')
ORDER BY a.seq DESC LIMIT 1
"""


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
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        raise Unavailable from None
    if row is None or row.get("state", "ready") != "ready":
        raise NoRelease
    return ReleaseInForce(row["ordinal"], row["id"], row["metadata_version"])
