"""The gate: the only way by which a person's data leave.

Read, render, record, answer, in this order, for all that waits at once. A face hands over a
question and gets an answer whose record is already durable; it never holds a row that was not
recorded.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

import asyncpg

from dtsen.audit.record import RecordKeys
from dtsen.clock import Clock, key_epoch
from dtsen.database import OUTAGES, Connection, limited
from dtsen.disclosure.authority import Authority
from dtsen.disclosure.entry import Finished, finish
from dtsen.disclosure.pairwise import PairwiseIds
from dtsen.disclosure.question import Answer, Question, Seen, UnpaidError, Want
from dtsen.disclosure.reading import Packs, Rows, Source, read
from dtsen.disclosure.recording import record, record_both
from dtsen.disclosure.sighting import family_source, sight, sources
from dtsen.errors import DtsenError, InternalError, Unavailable
from dtsen.keys import Keyring
from dtsen.telemetry import OFF, Telemetry

log = logging.getLogger(__name__)

MOST_WAITING = 2_000
MOST_IN_A_BATCH = 200
FEW = 16  # not worth dividing
IN_FLIGHT = 2
DEADLINE_SECONDS = 10.0
"""In which every question is answered, wherever it waits."""
GLANCE_SECONDS = 0.5
"""How often the gate looks for questions whose time is over."""
STATEMENT_SECONDS = 3.0
"""Of one statement, or of waiting for a connection. A commit is never cancelled: past this the
connection is ended, and whoever waits is told that the outcome is unknown."""
MOST_JUDGEMENTS = 4
_MISSING_PARTITION = "23514"


class Gate:
    """One worker's gate."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        authority: Authority,
        keyring: Keyring,
        clock: Clock,
        *,
        telemetry: Telemetry = OFF,
    ) -> None:
        self._pool = pool
        self._authority = authority
        self._clock = clock
        self._telemetry = telemetry
        self._packs = Packs()
        self.ids = PairwiseIds(keyring)
        self._keys = lru_cache(maxsize=4)(lambda epoch: RecordKeys(keyring, epoch))
        self._waiting: deque[_Asked] = deque()
        self._flights: dict[asyncio.Task[None], list[_Asked]] = {}
        self._glance: asyncio.TimerHandle | None = None
        self._scheduled = False

    async def answer(self, question: Question) -> Answer:
        """Answer one question, once its record is durable.

        Raises:
            DtsenError: the refusal that fresh authority gave; the caller has it recorded.
            UnpaidError: more people would leave than are paid for; none did.
            Unavailable: the queue is full, the deadline passed, or the outcome is unknown.
        """
        expires = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        with suppress(TimeoutError):
            for _ in range(MOST_JUDGEMENTS):
                answer = await self._join(question, expires)
                if answer is not None:
                    return answer
                async with asyncio.timeout_at(expires):
                    question.anew = await self._authority.refresh()
                question.mandate = question.judge(question.anew, self._clock.now())
        raise Unavailable

    async def drain(self) -> None:
        """Wait until nothing is waiting or in flight; for an orderly end."""
        while self._waiting or self._flights:
            await asyncio.sleep(0)
            await asyncio.gather(*self._flights)

    def _join(self, question: Question, expires: float) -> "asyncio.Future[Answer | None]":
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable
        # Made here, so that what a fresh mandate no longer opens is refused to its asker alone.
        want = question.want(question.mandate) if question.want is not None else None
        asked = _Asked(question, want, expires)
        self._waiting.append(asked)
        if self._glance is None:
            self._glance_later()
        self._telemetry.waiting(len(self._waiting))
        self._schedule()
        return asked.future  # whoever goes away cancels this alone; the batch of others goes on

    def _glance_later(self) -> None:
        self._glance = asyncio.get_running_loop().call_later(GLANCE_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Tell those whose time is over, waiting or in flight; look again while there are any."""
        now = asyncio.get_running_loop().time()
        waiting = [self._waiting, *self._flights.values()]
        for asked in (asked for some in waiting for asked in some if asked.expires <= now):
            asked.fail(Unavailable())
        self._glance = None
        if self._waiting or self._flights:
            self._glance_later()

    def _schedule(self) -> None:
        if not self._scheduled and self._waiting and len(self._flights) < IN_FLIGHT:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._depart)

    def _depart(self) -> None:
        self._scheduled = False
        batch = self._board()
        if not batch:
            self._telemetry.waiting(0)
            return
        self._telemetry.departed(len(batch), len(self._waiting))
        flight = asyncio.create_task(self._fly(batch))
        self._flights[flight] = batch
        flight.add_done_callback(self._land)
        self._schedule()

    def _board(self) -> "list[_Asked]":
        """The next batch; whoever was told meanwhile that it takes too long is left behind.

        One flight's share of all here: with all in one, worker and database would take turns.
        """
        here = sum(map(len, (self._waiting, *self._flights.values())))
        batch: list[_Asked] = []
        while self._waiting and len(batch) < min(MOST_IN_A_BATCH, max(FEW, here // IN_FLIGHT)):
            asked = self._waiting.popleft()
            if not asked.future.done():
                batch.append(asked)
        return batch

    def _land(self, flight: asyncio.Task[None]) -> None:
        del self._flights[flight]
        self._schedule()

    async def _fly(self, batch: Sequence["_Asked"]) -> None:
        try:
            connection = await self._pool.acquire(timeout=STATEMENT_SECONDS)
        except OUTAGES:
            _fail(batch, Unavailable())
            return
        try:
            await self._serve(connection, batch)
        except Exception as failure:  # noqa: BLE001 - whatever it was, who waits must be told
            # Its text may hold what was asked: the class and the SQLSTATE say enough.
            state = getattr(failure, "sqlstate", None)
            log.error("gate: a batch failed: %s %s", type(failure).__name__, state)  # noqa: TRY400 - a traceback may hold personal data
            _fail(batch, Unavailable())
        finally:
            await self._pool.release(connection)

    async def _serve(self, connection: Connection, batch: Sequence["_Asked"]) -> None:
        try:
            rows = await self._read(connection, batch)
        except asyncpg.UndefinedTableError:
            # A release was destroyed between authority and read: judge everything anew.
            self._packs.forget()
            for asked in batch:
                asked.settle(None)
            return
        finished = []
        keys = self._keys(key_epoch(self._clock.now()))
        for asked in batch:
            try:
                finished.append((asked, self._finish(asked, rows, keys)))
            except (DtsenError, UnpaidError) as refusal:
                asked.fail(refusal)
            except Exception as defect:  # noqa: BLE001 - one bad rendering must not fail the others
                log.error("gate: a rendering failed: %s", type(defect).__name__)  # noqa: TRY400 - a traceback may hold personal data
                asked.fail(InternalError())
        if alone := [one for one in finished if one[1].companion is None]:
            await self._record(connection, alone)
        for one in finished:
            if one[1].companion is not None:
                await self._record(connection, [one])

    async def _read(self, connection: Connection, batch: Sequence["_Asked"]) -> Rows:
        first: _Wanted = {}
        for asked in batch:
            question, plan = asked.question, asked.question.mandate.plan
            if asked.want is None or plan is None:
                continue
            if question.expand is not None:
                with limited(connection, STATEMENT_SECONDS):
                    asked.want = await question.expand(connection, asked.want)
            _add(first, sources(asked.want, plan))
        if not first:
            return {}
        with limited(connection, STATEMENT_SECONDS):
            rows = dict(await read(connection, self._packs, first))
        second: _Wanted = {}
        for asked in batch:
            if asked.want is not None and asked.question.mandate.plan is not None:
                _add(second, family_source(asked.want, asked.question.mandate.plan, rows))
        if second:
            with limited(connection, STATEMENT_SECONDS):
                more = await read(connection, self._packs, second)
            for source, found in more.items():
                rows[source] = {**rows.get(source, {}), **found}
        return rows

    def _finish(self, asked: "_Asked", rows: Rows, keys: RecordKeys) -> Finished:
        question, mandate = asked.question, asked.question.mandate
        if asked.want is None or mandate.plan is None:
            return finish(question, None, Seen(mandate.release), keys, self._clock)
        seen = sight(asked.want, mandate, mandate.plan, rows, self.ids)
        finished = finish(question, asked.want, seen, keys, self._clock)
        if question.paid is not None and finished.entry.people > question.paid:
            raise UnpaidError(finished.entry.people)
        return finished

    async def _record(
        self, connection: Connection, finished: Sequence[tuple["_Asked", Finished]]
    ) -> None:
        started = self._clock.monotonic()
        try:
            with limited(connection, STATEMENT_SECONDS):
                first = finished[0][1]
                if first.companion is not None:  # always by itself: of both, both or none
                    recorded = await record_both(connection, first.entry, first.companion)
                else:
                    recorded = await record(connection, [made.entry for _, made in finished])
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if error.sqlstate == _MISSING_PARTITION:
                raise
            if len(finished) == 1:
                finished[0][0].fail(Unavailable())
                return
            for one in finished:
                await self._record(connection, [one])
            return
        self._telemetry.committed(self._clock.monotonic() - started)
        for asked, made in finished:
            if refusal := recorded.refusal_of(made.entry.id):
                asked.fail(refusal)
                continue
            passed = made.entry.id in recorded.accepted
            if passed and made.entry.people:
                self._telemetry.disclosed(made.entry.standing.op, made.entry.people)
            asked.settle(made.answer if passed else None)


class _Asked:
    """A question in the queue and the future of its answer; None: judge it anew.

    `expires` is of the loop's time. The gate looks for those whose time is over: a timer for each
    would cost every question what a glance now and then costs none.
    """

    __slots__ = ("expires", "future", "question", "want")

    def __init__(self, question: Question, want: Want | None, expires: float) -> None:
        self.question = question
        self.want = want
        self.expires = expires
        self.future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

    def settle(self, answer: Answer | None) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # read once: nobody may be left to do so


_Wanted = dict[Source, dict[str, None]]


def _add(wanted: _Wanted, needed: Mapping[Source, Iterable[str]]) -> None:
    for source, keys in needed.items():
        wanted.setdefault(source, {}).update(dict.fromkeys(keys))


def _fail(batch: Sequence[_Asked], error: Exception) -> None:
    for asked in batch:
        asked.fail(error)
