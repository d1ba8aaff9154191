"""The one process that takes new records up: into tree and index, and into what is complete.

Exactly one leads, by advisory lock; others wait for it to end. What is pending is a state and not a
position, so that nothing that commits late can be passed over; what `keeper` does with it survives
a crash anywhere, and a second leader would take up nothing twice.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any

import psycopg

from dtsen.audit.administration import Deed, record
from dtsen.audit.halt import LeadLost
from dtsen.audit.keeper import Keeper
from dtsen.audit.merging import MOST_AT_ONCE
from dtsen.clock import Clock
from dtsen.keys import KeyMissing, Keyring

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.5
RETRY_SECONDS = 1.0
UPKEEP_SECONDS = 60.0
SLOW_WRITER_SECONDS = 10.0
LEADER = int.from_bytes(b"dtsen-sq")
"""Key of the advisory lock that the leading sequencer's session holds."""

_SESSION = "-c timezone=UTC -c lock_timeout=500ms -c statement_timeout=60s"
"""A partition is made under a lock that all writers queue behind: better to try again later."""

_LEAD = "SELECT pg_try_advisory_lock(%s)"
_NOW = "SELECT clock_timestamp()"

# A recording statement locks these tables before it reads the clock, and keeps the locks until its
# commit can be seen.
_WRITERS = """
SELECT DISTINCT l.virtualtransaction, l.pid
FROM pg_locks l
WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'RowExclusiveLock'
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.relation IN ('audit.record'::regclass, 'audit.pending'::regclass)
    AND l.pid IS DISTINCT FROM pg_backend_pid()
"""

_LEFT = "SELECT EXISTS (SELECT FROM audit.pending WHERE recorded_at < %s)"
_ADVANCE = """
UPDATE audit.progress SET complete_until = %(until)s WHERE complete_until < %(until)s
"""

_PARTITIONS = "SELECT audit.ensure_partitions(%s)"
_FORGET_PROOFS = "DELETE FROM disclosure.used_proof WHERE expires < clock_timestamp()"
_FORGET_REVOKED = "DELETE FROM disclosure.revoked_token WHERE expires < clock_timestamp()"
_FORGET_REPEATS = "DELETE FROM disclosure.repeat WHERE expires < clock_timestamp()"


@dataclass(slots=True)
class _Horizon:
    """An instant, and the transactions that may still commit records from before it.

    Whoever is not among them takes its lock, and then reads the clock, after the instant.
    """

    instant: datetime
    writers: set[str]
    since: float


class Sequencer:
    """One candidate for leadership."""

    def __init__(self, url: str, keyring: Keyring, clock: Clock, keeper: Keeper) -> None:
        """Take the sequencer login's URL."""
        self._url = url
        self._keyring = keyring
        self._clock = clock
        self._keeper = keeper
        self._horizon: _Horizon | None = None
        self._upkeep_due = float("-inf")
        self._warning_due = float("-inf")

    def run(self, stop: Event) -> None:
        """Lead, or wait to, until `stop` is set. Outages of database and storage are waited out.

        Raises:
            LogHalted: going on could contradict what was published; a person must look.
        """
        while not stop.is_set():
            try:
                with self.connect() as connection:
                    self._lead(connection, stop)
            except psycopg.Error as error:
                # Its text may hold a row: the class and the SQLSTATE say enough.
                log.error("sequencer: %s %s", type(error).__name__, error.sqlstate)  # noqa: TRY400 - a traceback may hold a row
            except OSError as error:
                log.error("sequencer: cannot publish: %s, %s", error.strerror, error.filename)  # noqa: TRY400 - all there is to say
            except LeadLost:
                log.warning("sequencer: another one went further; waiting for its turn")
            stop.wait(RETRY_SECONDS)

    def connect(self) -> psycopg.Connection:
        """A session of the sequencer's login in autocommit; its end gives up the lead."""
        return psycopg.connect(
            self._url, autocommit=True, application_name="dtsen-sequencer", options=_SESSION
        )

    def lead(self, connection: psycopg.Connection) -> bool:
        """Whether this session leads; no other does until it ends."""
        leads: bool = _one(connection, _LEAD, (LEADER,))
        return leads

    def begin(self, connection: psycopg.Connection) -> None:
        """Have what leading needs, and go on where the last leader stopped.

        Raises:
            LogHalted, LeadLost, OSError: as `Keeper.resume`.
        """
        self._horizon = None
        self._clock.follow(_one(connection, _NOW))
        self.upkeep(connection, self._clock.now())
        self._keeper.resume(connection)

    def round(self, connection: psycopg.Connection) -> int:
        """Take up what is pending and move `complete_until` as far as it is true; records taken.

        Raises:
            LogHalted, LeadLost, OSError: as `Keeper.advance`.
        """
        taken = self._keeper.advance(connection)
        horizon = self._horizon
        if horizon is None:
            instant = _one(connection, _NOW)
            self._clock.follow(instant)
            horizon = _Horizon(instant, set(writers(connection)), self._clock.monotonic())
            self._horizon = horizon
        else:
            horizon.writers.intersection_update(present := writers(connection))
            self._warn_of(horizon, present)
        if not horizon.writers:
            taken += self._keeper.advance(connection)
            if not _one(connection, _LEFT, (horizon.instant,)):
                connection.execute(_ADVANCE, {"until": horizon.instant})
                self._horizon = None
        return taken

    def upkeep(self, connection: psycopg.Connection, instant: datetime) -> None:
        """Have partitions and keys of this month and the next, and forget expired proofs.

        The next month's are there from this month's first minute on, so weeks ahead.
        """
        made = self._keyring.ensure(instant)
        try:
            connection.execute(_PARTITIONS, (instant,))
            self._keeper.upkeep(connection)
        except psycopg.errors.LockNotAvailable:
            log.warning("sequencer: the log is busy; its next partitions are made in a minute")
        if made:
            try:
                self._note(connection, Deed("key.make", clear={"keys": list(made)}))
            except KeyMissing as missing:  # made for another month than the database is in
                log.warning("sequencer: made %s without a record: no %s", ", ".join(made), missing)
        connection.execute(_FORGET_REPEATS)
        connection.execute(_FORGET_REVOKED)
        forgotten = connection.execute(_FORGET_PROOFS).rowcount
        log.debug("sequencer: %d expired proofs forgotten", forgotten)

    def _lead(self, connection: psycopg.Connection, stop: Event) -> None:
        while not self.lead(connection):
            if stop.wait(RETRY_SECONDS):
                return
        log.info("sequencer: leads")
        self.begin(connection)
        self._note(connection, Deed("sequencer.lead"))
        while not stop.is_set():
            taken = self.round(connection)
            if self._clock.monotonic() >= self._upkeep_due:
                self.upkeep(connection, self._clock.now())
                self._upkeep_due = self._clock.monotonic() + UPKEEP_SECONDS
            if taken < MOST_AT_ONCE:  # else more is waiting
                stop.wait(ROUND_SECONDS)

    def _note(self, connection: psycopg.Connection, deed: Deed) -> None:
        with connection.transaction():
            record(connection, self._keyring, deed)

    def _warn_of(self, horizon: _Horizon, present: Mapping[str, int | None]) -> None:
        now = self._clock.monotonic()
        age = now - horizon.since
        if horizon.writers and age > SLOW_WRITER_SECONDS and now >= self._warning_due:
            pids = sorted(str(present[writer]) for writer in horizon.writers)
            log.warning(
                "sequencer: the log is complete only until %s: for %.0f s backends %s have held"
                " transactions open that write to it",
                horizon.instant.isoformat(timespec="seconds"),
                age,
                ", ".join(pids),
            )
            self._warning_due = now + SLOW_WRITER_SECONDS


def writers(connection: psycopg.Connection) -> dict[str, int | None]:
    """Transactions that may be writing to the log right now, with their backends' pids."""
    return dict(connection.execute(_WRITERS).fetchall())


def _one(connection: psycopg.Connection, statement: str, parameters: tuple[Any, ...] = ()) -> Any:  # noqa: ANN401 - one value of any type
    row = connection.execute(statement, parameters).fetchone()
    return row[0] if row else None
