"""All that the database holds of the access log, held against what was published of it.

Whoever has every right in the database can change its rows. They can change neither the published
tiles nor what only the holder of the keys can make; so each row of each table of schema `audit` is
compared with one of these, or with a row that is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

import psycopg
from psycopg import IsolationLevel

from dtsen.audit.record import RecordKeys
from dtsen.audit.rows import Rows, year_of
from dtsen.audit.sealed import Sealed
from dtsen.audit.stored_checkpoints import check_checkpoints
from dtsen.audit.stored_index import Progress, check_beside
from dtsen.audit.stored_tree import StoredTree, published_hashes
from dtsen.verifier.source import Source
from dtsen.verifier.verification import Verified


class Stored:
    """The database behind some logs."""

    def __init__(self, connection: psycopg.Connection, keys: Callable[[str], RecordKeys]) -> None:
        """Take a connection of the auditor's login, and what gives a month's keys.

        `keys` raises `KeyMissing` for a month whose keys are not held here.
        """
        self._connection = connection
        self.sealed = Sealed(keys)

    def entries(self, log: Source) -> Rows:
        """The records beside a published log, for the verifier to hold against it."""
        return Rows(self._connection, year_of(log), self.sealed)

    def check(self, log: Source, verified: Verified) -> int:
        """Hold tree, tiles, places and checkpoints against a verified log.

        How many checkpoints there are.

        Raises:
            LogFault: something differs; the text names the place.
        """
        year = year_of(log)
        with self._one_instant():
            tree = StoredTree(self._connection, year, log)
            since = tree.check(verified.checkpoint, verified.edge, self.entries(log))
            hashes = chain(published_hashes(log, verified.checkpoint.size), since)
            published = (verified.checkpoint, verified.note)
            return check_checkpoints(self._connection, year, published, verified.keys, hashes)

    def check_beside(
        self, years: tuple[int, int] | None, progress: Progress = lambda _: None
    ) -> None:
        """Hold all other rows against the records; `years`: the first and the last published.

        Raises:
            LogFault: something differs; the text names the record.
        """
        check_beside(self._connection, years, progress)

    @contextmanager
    def _one_instant(self) -> Iterator[None]:
        """One snapshot for several statements; inside a transaction, that one's."""
        if self._connection.autocommit:
            self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with self._connection.transaction():
            yield
