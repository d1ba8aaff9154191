"""Search over the access log, by the auditor's login.

People, officers and cases are found only through the keyed index, by one key for each month that
the question touches. Pages are newest first and end where the log is complete.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import asyncpg

from dtsen.audit.asking import check, may_be_found
from dtsen.audit.opening import open_record
from dtsen.audit.record import RecordKeys, blind_index
from dtsen.audit.statement import (
    Filter,
    Place,
    PurposeOf,
    Sought,
    Statement,
    by_id,
    page,
    purposes_on,
)
from dtsen.audit.viewer import Viewer
from dtsen.audit.walking import Span, walk, walks
from dtsen.clock import Clock, key_epoch, month_of, next_key_epoch
from dtsen.cursor import Cursors
from dtsen.database import OUTAGES, Connection, borrowed
from dtsen.errors import RecordNotFound, Unavailable
from dtsen.keys import KeyMissing, Keyring, Purpose

log = logging.getLogger(__name__)


MOST_RECORDS = 500
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
"""No record is older: neither this software nor DTSEN itself is."""

BESIDE = timedelta(days=1)
"""How far outside its month a key may have been used: by clocks that differ, near midnight."""

PATIENCE_SECONDS = 5
"""For a question as a whole, where the database does not even keep its own time."""
_TICK = timedelta(microseconds=1)
_PATIENCE = "SET LOCAL statement_timeout = '3s'"
_COMPLETE_UNTIL = "SELECT complete_until FROM audit.progress"
_PLACE = """
SELECT r.agency, r.leaf, l.year, l.index
FROM audit.record r LEFT JOIN audit.leaf l ON l.record = r.id
WHERE r.id = $1
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest first; until when the log was complete; how to go on, if there is more.

    `complete_until` is that of the first page: what came later is on none of them.
    """

    records: Sequence[dict[str, object]]
    complete_until: datetime
    next: str | None


@dataclass(frozen=True, slots=True)
class LeafPlace:
    """A leaf, and where it stands."""

    leaf: bytes
    year: int
    index: int


class AccessLog:
    """One worker's view of the access log."""

    def __init__(self, pool: asyncpg.Pool, keyring: Keyring, clock: Clock) -> None:
        """Take a pool of the auditor's login."""
        self._pool = pool
        self._keyring = keyring
        self._clock = clock
        self._cursors = Cursors(keyring, clock)
        self._keys = lru_cache(maxsize=128)(lambda epoch: RecordKeys(keyring, epoch))

    async def search(
        self, viewer: Viewer, wanted: Filter, *, limit: int, cursor: str | None = None
    ) -> Page:
        """One page of what a viewer may see of what it wants.

        Raises:
            AuditScopeRequired: it may not search by subject there.
            InvalidRequest: an officer or case is named without its agency.
            InvalidCursor, CursorExpired: as they say.
            Unavailable: the log cannot be read, or not in time.
        """
        check(viewer, wanted)
        bound = _binding(viewer, wanted)
        place = None
        complete_until: datetime | None = None
        if cursor is not None:
            said = self._cursors.open(cursor, bound)
            place = Place(datetime.fromisoformat(said["at"]), UUID(said["id"]))
            complete_until = datetime.fromisoformat(said["complete_until"])
        try:
            async with self._reading() as connection:
                if complete_until is None:
                    complete_until = await connection.fetchval(_COMPLETE_UNTIL) or BEGINNING
                purposes = await _purposes(connection, wanted)

                def ask(span: Span, most: int) -> Statement:
                    return self._page(viewer, wanted, span, place, most, purposes)

                span = _span(wanted, complete_until)
                if place is not None:
                    span = span[0], min(span[1], place.recorded_at + _TICK)
                if walks(wanted):
                    rows, rest = await walk(connection, ask, span, limit, self._clock)
                else:
                    statement = ask(span, limit + 1)
                    rows, rest = await connection.fetch(statement.text, *statement.arguments), None
        except OUTAGES as error:
            raise Unavailable from error
        records = await asyncio.to_thread(self._open, viewer, rows[:limit])
        records = [one for one in records if may_be_found(viewer, wanted, one)]
        following = None
        if len(rows) > limit:
            rest = Place(rows[limit - 1]["recorded_at"], rows[limit - 1]["id"])
        if rest is not None:
            following = self._cursors.seal(
                {
                    "at": rest.recorded_at.isoformat(),
                    "id": str(rest.id),
                    "complete_until": complete_until.isoformat(),
                },
                bound,
            )
        return Page(records, complete_until, following)

    async def record(self, viewer: Viewer, record_id: UUID) -> dict[str, object]:
        """One record.

        Raises:
            RecordNotFound: there is none that this viewer may see.
            Unavailable: the log cannot be read, or not in time.
        """
        statement = by_id(record_id)
        try:
            async with self._reading() as connection:
                rows = await connection.fetch(statement.text, *statement.arguments)
        except OUTAGES as error:
            raise Unavailable from error
        found = self._open(viewer, [row for row in rows if viewer.sees(row["agency"])])
        if not found:
            raise RecordNotFound
        return found[0]

    async def place(self, viewer: Viewer, record_id: UUID) -> LeafPlace | None:
        """A record's leaf and where it stands in its log; None until it is merged.

        Raises:
            RecordNotFound: there is none that this viewer may see.
            Unavailable: the log cannot be read, or not in time.
        """
        try:
            async with self._reading() as connection:
                row = await connection.fetchrow(_PLACE, record_id)
        except OUTAGES as error:
            raise Unavailable from error
        if row is None or not viewer.sees(row["agency"]):
            raise RecordNotFound
        if row["index"] is None:
            return None
        return LeafPlace(row["leaf"], row["year"], row["index"])

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        async with (
            borrowed(self._pool, PATIENCE_SECONDS) as connection,
            connection.transaction(readonly=True),
        ):
            await connection.execute(_PATIENCE)
            yield connection

    def _page(  # noqa: PLR0917 - what a page depends on
        self,
        viewer: Viewer,
        wanted: Filter,
        span: tuple[datetime, datetime],
        place: Place | None,
        most: int,
        purposes: Sequence[PurposeOf] | None,
    ) -> Statement:
        agency = wanted.agency if viewer.oversees else viewer.agency
        needles = (
            ("nik", wanted.subject),
            ("kk", wanted.family),
            ("case", wanted.case_ref and f"{agency}|{wanted.case_ref}"),
            ("officer", wanted.officer and f"{agency}|{wanted.officer}"),
        )
        epochs = self._epochs(*span)
        return page(
            wanted,
            agency=None if viewer.oversees else viewer.agency,
            indexes=[
                self._sought(epochs, span, kind, value)
                for kind, value in needles
                if value is not None
            ],
            span=span,
            place=place,
            most=most,
            purposes=purposes,
        )

    def _epochs(self, since: datetime, until: datetime) -> list[str]:
        """Months whose keys are held and may have indexed records of a span.

        A record near midnight may carry the key of the month beside its own.
        """
        first = key_epoch(since.astimezone(UTC).replace(day=1) - timedelta(days=1))
        last = next_key_epoch(until)
        held = self._keyring.versions(Purpose.SUBJECT_INDEX)
        return [epoch for epoch in held if first <= epoch <= last]

    def _sought(
        self, epochs: Sequence[str], span: tuple[datetime, datetime], kind: str, value: str
    ) -> list[Sought]:
        found = []
        for epoch in epochs:
            try:
                key = self._keyring.secret(Purpose.SUBJECT_INDEX, epoch)
            except KeyMissing:  # destroyed since the list was read
                continue
            since, until = month_of(epoch)
            within = max(span[0], since - BESIDE), min(span[1], until + BESIDE)
            if within[0] < within[1]:
                found.append(Sought(blind_index(key, kind, value), *within))
        return found

    def _open(self, viewer: Viewer, rows: Sequence[asyncpg.Record]) -> list[dict[str, object]]:
        now = self._clock.now()
        opened = [open_record(dict(row), viewer, self._keys, now) for row in rows]
        closed = [one for one in opened if "unopenable" in one]
        if closed:
            first = closed[0]
            log.error(
                "audit: %d of %d records cannot be opened; the first: %s, %s",
                *(len(closed), len(opened), first["jti"], first["unopenable"]),
            )
        return opened


def _span(wanted: Filter, complete_until: datetime) -> Span:
    """Between which instants a filter looks."""
    until = complete_until if wanted.until is None else min(wanted.until, complete_until)
    return max(wanted.since or BEGINNING, BEGINNING), max(BEGINNING, until)


async def _purposes(connection: Connection, wanted: Filter) -> list[PurposeOf] | None:
    """What a legal basis that is searched for stands for."""
    if wanted.legal_basis is None:
        return None
    statement = purposes_on(wanted.legal_basis)
    rows = await connection.fetch(statement.text, *statement.arguments)
    return [PurposeOf(*row) for row in rows]


def _binding(viewer: Viewer, wanted: Filter) -> dict[str, object]:
    return {
        "operation": "audit.search",
        "agency": viewer.agency,
        "client": viewer.client,
        "plan": viewer.plan,
        "query": asdict(wanted),
    }
