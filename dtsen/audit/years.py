"""Opening and closing logs: each year has its own, and each names its neighbour in a leaf."""

from urllib.parse import urlsplit

import orjson
import psycopg

from dtsen.audit.administration import Deed, record
from dtsen.audit.halt import LogHalted
from dtsen.audit.merging import take_one
from dtsen.audit.signing import keys_of
from dtsen.audit.tree import Tree, close_tree, insert_tree, lock_open_tree, newest_tree
from dtsen.clock import Clock
from dtsen.keys import Keyring

TYP = "log"

_PARTITIONS = "SELECT audit.ensure_log(%s, %s)"
_LAST_LEAF = """
SELECT r.leaf FROM audit.leaf l
JOIN audit.record r ON r.recorded_at = l.recorded_at AND r.id = l.record
WHERE l.year = %s AND l.index = %s
"""


class Years:
    """Makes the logs of one issuer."""

    def __init__(self, keyring: Keyring, clock: Clock, issuer: str) -> None:
        """Take the issuer's URL; a log's origin is its host, port and the year."""
        self._keyring = keyring
        self._clock = clock
        self._host = urlsplit(issuer).netloc

    def origin(self, year: int) -> str:
        """The origin of a year's log."""
        return f"{self._host}/log/{year}"

    def open_log(
        self, connection: psycopg.Connection, year: int, previous: bytes | None = None
    ) -> None:
        """Open a year's log; its first leaf says so, and repeats the checkpoint before it."""
        key = self.key(year)
        clear: dict[str, object] = {
            "typ": TYP,
            "origin": self.origin(year),
            "key": key,
            "previous": previous.decode() if previous else None,
        }
        prepare(connection, year, 0)
        with connection.transaction():
            insert_tree(connection, year, self.origin(year), key)
            take_one(connection, record(connection, self._keyring, Deed("log.open", clear=clear)))

    def close_log(self, connection: psycopg.Connection, year: int) -> None:
        """Close the open log; its last leaf names the log of `year`, which follows it."""
        key = self.key(year)
        with connection.transaction():
            tree = lock_open_tree(connection)
            if tree is None:
                return
            clear: dict[str, object] = {
                "typ": TYP,
                "origin": tree.origin,
                "next_origin": self.origin(year),
                "next_key": key,
            }
            take_one(connection, record(connection, self._keyring, Deed("log.close", clear=clear)))
            close_tree(connection, tree)

    def following(self, connection: psycopg.Connection, tree: Tree) -> int:
        """The year that the last leaf of a closed log named.

        Raises:
            LogHalted: it is not there.
        """
        row = connection.execute(_LAST_LEAF, (tree.year, tree.size - 1)).fetchone()
        if row is None:
            raise LogHalted(f"the last leaf of {tree.origin} is gone")
        return int(orjson.loads(row[0])["next_origin"].rpartition("/")[2])

    def key(self, year: int) -> str:
        """The key of a year's log as a verifier key line; made where there is none."""
        self._keyring.ensure_checkpoint_key(year)
        now = self._clock.now()
        return str(keys_of(self._keyring, self.origin(year), year, now).every[0])


def prepare(connection: psycopg.Connection, year: int, size: int) -> None:
    """Have the partitions that a log of `size` leaves needs, and the next."""
    connection.execute(_PARTITIONS, (year, size))


def newest(connection: psycopg.Connection) -> Tree:
    """The tree of the newest log.

    Raises:
        LogHalted: there is none.
    """
    tree = newest_tree(connection)
    if tree is None:
        raise LogHalted("the database knows no log")
    return tree
