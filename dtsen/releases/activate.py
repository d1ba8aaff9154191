"""Which release is in force: activation, rollback, and the destruction of those no longer needed.

One row, the pointer, says it; every act locks that row first, so that two at once follow one
another. Readers never wait for it. The log of activations is what as-of dates and rollback read.
"""

import psycopg
from psycopg import errors

from dtsen.releases import layout
from dtsen.releases.refusals import (
    NothingToRollBackTo,
    ReleaseBusy,
    ReleaseInForce,
    UnknownRelease,
)

_ATTEMPTS = 10  # of two seconds each

_POINTER = "SELECT ordinal FROM registry.pointer FOR UPDATE"
_READY = "SELECT ordinal FROM registry.release WHERE id = %s AND state = 'ready'"
# Workers notice a change by `moved_at`, so that it always grows.
_MOVE = """
UPDATE registry.pointer
SET ordinal = %s, moved_at = greatest(clock_timestamp(), moved_at + interval '1 microsecond')
"""
_LOG = "INSERT INTO registry.activation (ordinal) VALUES (%s)"
_ACTIVATIONS = "SELECT ordinal FROM registry.activation ORDER BY seq"
_KEPT = "SELECT ordinal, id FROM registry.release WHERE state = 'ready'"
_DESTROYED = """
UPDATE registry.release SET state = 'destroyed', destroyed_at = clock_timestamp()
WHERE ordinal = %s
"""
# Behind a DROP that waits, new readers of the table wait too: it gives up soon and tries again.
_PATIENCE = "SET LOCAL lock_timeout = '2s'"


def activate(connection: psycopg.Connection, release: str) -> bool:
    """Bring a release into force; False if it was already, and nothing was done.

    Raises:
        UnknownRelease: it is not ready.
    """
    with connection.transaction():
        present = _lock_pointer(connection)
        ordinal = _ready(connection, release)
        if ordinal == present:
            return False
        _move(connection, ordinal)
        return True


def rollback(connection: psycopg.Connection) -> str:
    """Bring the release back into force that was so before the present one; give its id.

    A second rollback goes one further back, not forth again. Destroyed releases are passed over.

    Raises:
        NothingToRollBackTo: none of the earlier ones is kept.
    """
    with connection.transaction():
        _lock_pointer(connection)
        kept: dict[int, str] = dict(connection.execute(_KEPT).fetchall())
        for ordinal in reversed(_earlier(connection)):
            if ordinal in kept:
                _move(connection, ordinal)
                return kept[ordinal]
        raise NothingToRollBackTo


def destroy(connection: psycopg.Connection, release: str) -> None:
    """Drop the tables of a release for good; its ordinal and its entry in the list stay.

    Raises:
        UnknownRelease: it is not ready.
        ReleaseInForce: it is in force.
        ReleaseBusy: its readers did not let go of it for twenty seconds.
    """
    for _ in range(_ATTEMPTS):
        try:
            _destroy(connection, release)
        except errors.LockNotAvailable:
            continue
        return
    raise ReleaseBusy(release)


def _destroy(connection: psycopg.Connection, release: str) -> None:
    with connection.transaction():
        connection.execute(_PATIENCE)
        present = _lock_pointer(connection)
        ordinal = _ready(connection, release)
        if ordinal == present:
            raise ReleaseInForce(release)
        connection.execute(layout.drop(ordinal))
        connection.execute(_DESTROYED, (ordinal,))


def _lock_pointer(connection: psycopg.Connection) -> int | None:
    """Take the one lock under which acts follow one another; give what is in force."""
    row = connection.execute(_POINTER).fetchone()
    return None if row is None else row[0]


def _ready(connection: psycopg.Connection, release: str) -> int:
    row = connection.execute(_READY, (release,)).fetchone()
    if row is None:
        raise UnknownRelease(release)
    ordinal: int = row[0]
    return ordinal


def _move(connection: psycopg.Connection, ordinal: int) -> None:
    connection.execute(_MOVE, (ordinal,))
    connection.execute(_LOG, (ordinal,))


def _earlier(connection: psycopg.Connection) -> list[int]:
    """The releases in force before the present one, oldest first, with rollbacks undone."""
    path: list[int] = []
    for (ordinal,) in connection.execute(_ACTIVATIONS):
        if path[-2:-1] == [ordinal]:  # back to where it came from: a rollback
            path.pop()
        else:
            path.append(ordinal)
    return path[:-1]
