"""Which release is in force: activation, rollback, destruction. One pointer row decides.

The recording statement of every answer checks the pointer, so that once these functions return, no
request that begins after names another release.
"""

import psycopg
from psycopg import errors, sql

from dtsen.releases.layout import drop
from dtsen.releases.refusals import (
    NothingToRollBackTo,
    ReleaseBusy,
    ReleaseInForce,
    UnknownRelease,
)

DROP_TRIES = 10

_READY = "SELECT ordinal FROM registry.release WHERE id = %s AND state = 'ready'"
_POINT = "UPDATE registry.pointer SET ordinal = %s, moved_at = clock_timestamp()"
_ACTIVATED = "INSERT INTO registry.activation (ordinal) VALUES (%s)"
_POINTED = "SELECT ordinal FROM registry.pointer FOR UPDATE"
_BEFORE = """
SELECT r.ordinal, r.id
FROM registry.activation a JOIN registry.release r ON r.ordinal = a.ordinal
WHERE r.state = 'ready' AND a.ordinal <> %(present)s
    AND a.seq < (SELECT max(seq) FROM registry.activation WHERE ordinal = %(present)s)
ORDER BY a.seq DESC LIMIT 1
"""
_DESTROYED = """
UPDATE registry.release SET state = 'destroyed', destroyed_at = now() WHERE ordinal = %s
"""


def activate(connection: psycopg.Connection, release: str) -> None:
    """Put a ready release in force.

    Raises:
        UnknownRelease: no ready release has this id.
    """
    with connection.transaction():
        connection.execute(_POINTED)
        _move(connection, _ordinal(connection, release))


def rollback(connection: psycopg.Connection) -> str:
    """Put the release that was in force before back; its id.

    Raises:
        NothingToRollBackTo: none was, or it is not kept any more.
    """
    with connection.transaction():
        present = connection.execute(_POINTED).fetchone()
        before = connection.execute(_BEFORE, {"present": present and present[0]}).fetchone()
        if before is None:
            raise NothingToRollBackTo
        _move(connection, before[0])
        return str(before[1])


def destroy(connection: psycopg.Connection, release: str) -> None:
    """Drop a release's tables for good; who still reads them is waited for, in turns.

    Raises:
        UnknownRelease: no ready release has this id.
        ReleaseInForce, ReleaseBusy: it is in force, or somebody reads it all the time.
    """
    for _ in range(DROP_TRIES):
        try:
            with connection.transaction():
                present = connection.execute(_POINTED).fetchone()
                ordinal = _ordinal(connection, release)
                if present is not None and present[0] == ordinal:
                    raise ReleaseInForce(release)
                connection.execute(sql.SQL("SET LOCAL lock_timeout = '2s'"))
                connection.execute(_DESTROYED, (ordinal,))
                connection.execute(drop(ordinal))
        except errors.LockNotAvailable:
            continue
        else:
            return
    raise ReleaseBusy(release)


def _ordinal(connection: psycopg.Connection, release: str) -> int:
    row = connection.execute(_READY, (release,)).fetchone()
    if row is None:
        raise UnknownRelease(release)
    return int(row[0])


def _move(connection: psycopg.Connection, ordinal: int) -> None:
    connection.execute(_POINT, (ordinal,))
    connection.execute(_ACTIVATED, (ordinal,))
