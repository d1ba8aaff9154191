"""The lock under which authority changes: whoever holds it has waited for all that is in flight."""

import psycopg

from dtsen.acts import ActRefused


class AuthorityBusy(ActRefused):
    """Requests in flight did not end in time; nothing was changed."""


# Behind a lock that waits, every recording statement waits too: better to give up and say so.
_LOCK = """
SET LOCAL lock_timeout = '5s';
LOCK TABLE disclosure.authority IN ACCESS EXCLUSIVE MODE
"""


def lock_authority(connection: psycopg.Connection) -> None:
    """Take the lock until the present transaction ends.

    Raises:
        AuthorityBusy: requests in flight did not end within five seconds.
    """
    try:
        connection.execute(_LOCK)
    except psycopg.errors.LockNotAvailable:
        raise AuthorityBusy(
            "requests in flight did not end within 5 s; nothing was changed, try again"
        ) from None
