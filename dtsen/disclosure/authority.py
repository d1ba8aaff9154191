"""What every mandate rests on, as one worker last read it.

Clients, agreements in force, restrictions and the release in force are read in one snapshot, polled
every 250 ms by their epochs. A worker that could not read them for a second refuses to answer. The
truth is checked again in the recording statement; this copy only makes that check pass at once.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import asyncpg
import orjson

from dtsen.clock import WIB, Clock
from dtsen.database import OUTAGES
from dtsen.disclosure.opening import scopes_of
from dtsen.disclosure.plan import Plan, compile_plan
from dtsen.errors import Unavailable
from dtsen.releases.current import ReleaseInForce
from dtsen.telemetry import OFF, Telemetry
from schemas.agreement import Agreement
from schemas.agreement_models import Binding

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
STALE_SECONDS = 1.0
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_MARKS = """
SELECT (SELECT max(epoch) FROM disclosure.authority) AS epoch, p.moved_at, clock_timestamp() AS now,
    disclosure.fence() AS fence
FROM registry.pointer p
"""

_SNAPSHOT = """
SELECT (SELECT max(epoch) FROM disclosure.authority) AS epoch, p.moved_at, clock_timestamp() AS now,
    p.ordinal, r.id, r.metadata_version,
    (SELECT json_agg(json_build_array(kind, name, epoch, agency))
     FROM disclosure.authority WHERE active)::text AS authority,
    (SELECT json_agg(json_build_array(g.id, y.pairwise_version, g.terms))
     FROM disclosure.agreement g JOIN disclosure.agency y ON y.code = g.agency
     WHERE g.state = 'in_force')::text AS agreements,
    (SELECT array_agg(t.jti) FROM disclosure.revoked_token t
     WHERE t.epoch IS NOT NULL AND t.expires > clock_timestamp()) AS revoked,
    disclosure.fence() AS fence
FROM registry.pointer p
LEFT JOIN registry.release r ON r.ordinal = p.ordinal
"""

_SET_FENCE = "SELECT disclosure.set_fence()"


@dataclass(frozen=True, slots=True, eq=False)
class AgreementInForce:
    """An agreement's terms, the epoch they stand under, and its plans, compiled when first used."""

    terms: Agreement
    epoch: int
    pairwise_version: str
    starts: datetime
    ends: datetime
    plans: dict[tuple[str, str], Plan] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """What the agency is under this agreement; under another it may be something else."""
        return self.terms.agency.role

    def plan(self, purpose: str, operation: str) -> Plan:
        """The plan of a purpose and operation that the agreement opens."""
        held = self.plans.get((purpose, operation))
        if held is None:
            held = self.plans[purpose, operation] = compile_plan(self.terms, purpose, operation)
        return held

    def takes(self, client_id: str, binding: Binding) -> bool:
        """Whether it lets a client show a token bound so.

        That an exception is over is told by the token, which ends with it.
        """
        tokens = self.terms.tokens
        return tokens.binding in {binding, "none"} or any(
            exception.client == client_id and exception.binding in {binding, "none"}
            for exception in tokens.exceptions
        )

    def purposes_for(self, operation: str) -> tuple[str, ...]:
        """Purposes for which the agreement opens an operation."""
        return tuple(
            code
            for code, purpose in self.terms.purposes.items()
            if any(_operation(scope) == operation for scope in purpose.operations)
        )

    def scopes(self) -> frozenset[str]:
        """Every scope that a token under this agreement may carry."""
        return scopes_of(self.terms)


@dataclass(frozen=True, slots=True)
class ClientAuthority:
    """A client that may act: its agency, its epoch, the agreement that lists it."""

    agency: str
    epoch: int
    agreement: AgreementInForce | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent reading of all authority; `revoked` holds the ids of tokens.

    `fence`: a failover may have lost the marks of proofs used before.
    """

    clients: Mapping[str, ClientAuthority]
    agreements: Mapping[str, AgreementInForce]
    restrictions_epoch: int
    release: ReleaseInForce | None
    marks: tuple[int, datetime]
    revoked: frozenset[str] = frozenset()
    fence: datetime = NEVER

    @property
    def order(self) -> tuple[datetime, int, datetime]:
        """What grows from one reading to the next; epochs alone may fall with a failover."""
        return (self.fence, *self.marks)


class Authority:
    """Keeps the snapshot fresh."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, *, telemetry: Telemetry = OFF) -> None:
        self._pool = pool
        self._telemetry = telemetry
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._read_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[Snapshot] | None = None
        self._next: asyncio.Task[Snapshot] | None = None

    async def start(self) -> None:
        """Read once if that can be, then keep polling."""
        try:
            await self.refresh()
        except Unavailable:
            log.warning("authority cannot be read yet; every answer is 503 until it can")
        self._task = asyncio.create_task(self._poll())

    async def close(self) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def current(self) -> Snapshot:
        """The snapshot, if it is fresh enough to act on.

        Raises:
            Unavailable: it could not be read for a second.
        """
        snapshot = self._snapshot
        if snapshot is None or self._clock.monotonic() - self._read_at > STALE_SECONDS:
            raise Unavailable
        return snapshot

    def agency_of(self, client_id: str) -> str | None:
        """The agency of a client at the last reading, however old; for counting alone."""
        client = self._snapshot.clients.get(client_id) if self._snapshot else None
        return client.agency if client else None

    async def refresh(self) -> Snapshot:
        """A snapshot whose reading begins after this call; whoever asks meanwhile shares it.

        Raises:
            Unavailable: the database cannot be read.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._reading))
        return await asyncio.shield(self._next)

    async def _read_after(self, earlier: "asyncio.Task[Snapshot] | None") -> Snapshot:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._reading, self._next = self._next, None
        return await self._read()

    async def _read(self) -> Snapshot:
        started = self._clock.monotonic()
        try:
            (row,) = await self._pool.fetch(_SNAPSHOT, timeout=STALE_SECONDS)
            if row["fence"] is None:
                # The first to see that a standby was promoted, or a backup restored.
                await self._pool.execute(_SET_FENCE, timeout=STALE_SECONDS)
                (row,) = await self._pool.fetch(_SNAPSHOT, timeout=STALE_SECONDS)
        except OUTAGES as error:
            raise Unavailable from error
        self._clock.follow(row["now"])
        snapshot = _read_snapshot(row)
        # A slower, older reading must not replace a newer one.
        if self._snapshot is None or snapshot.order >= self._snapshot.order:
            self._snapshot = snapshot
            self._read_at = max(self._read_at, started)
            self._telemetry.authority_read(self._read_at)
        return self._snapshot

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            started = self._clock.monotonic()
            # An outage is told by `current`, which refuses once the snapshot is a second old.
            with suppress(*OUTAGES, Unavailable):
                (row,) = await self._pool.fetch(_MARKS, timeout=STALE_SECONDS)
                self._clock.follow(row["now"])
                marks = (row["fence"], row["epoch"], row["moved_at"])
                if self._snapshot and self._snapshot.order == marks:
                    self._read_at = max(self._read_at, started)
                    self._telemetry.authority_read(self._read_at)
                else:
                    await self.refresh()


def _read_snapshot(row: asyncpg.Record) -> Snapshot:
    epochs: dict[tuple[str, str], int] = {}
    agencies: dict[str, str] = {}
    for kind, name, epoch, agency in orjson.loads(row["authority"] or "[]"):
        epochs[kind, name] = epoch
        if kind == "client":
            agencies[name] = agency
    agreements = {}
    listed = {}
    for agreement_id, pairwise_version, terms in orjson.loads(row["agreements"] or "[]"):
        epoch = epochs.get(("agreement", agreement_id))
        if epoch is None:
            continue
        written = orjson.dumps(terms, option=orjson.OPT_SORT_KEYS)
        agreement = _agreement(written, epoch, pairwise_version)
        agreements[agreement_id] = agreement
        listed.update(dict.fromkeys(agreement.terms.clients, agreement))
    clients = {}
    for name, agency in agencies.items():
        agreement_of = listed.get(name)
        if agreement_of is not None and agreement_of.terms.agency.code != agency:
            agreement_of = None  # an agreement lends its rights to its own agency's systems alone
        clients[name] = ClientAuthority(agency, epochs["client", name], agreement_of)
    release = None
    if row["ordinal"] is not None:
        release = ReleaseInForce(row["ordinal"], row["id"], row["metadata_version"])
    return Snapshot(
        clients,
        agreements,
        epochs["restrictions", ""],
        release,
        (row["epoch"], row["moved_at"]),
        frozenset(row["revoked"] or ()),
        row["fence"],
    )


@lru_cache(maxsize=4096)
def _agreement(terms: bytes, epoch: int, pairwise_version: str) -> AgreementInForce:
    """Built once for each version in force, so that its compiled plans outlive a refresh."""
    agreement = Agreement.model_validate_json(terms)
    return AgreementInForce(
        agreement,
        epoch,
        pairwise_version,
        starts=_midnight(agreement.valid.from_),
        ends=_midnight(agreement.valid.to) + timedelta(days=1),
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=WIB).astimezone(UTC)


def _operation(scope: object) -> str:
    """The operation of a scope: `individuals:read` of `individuals:read/welfare`."""
    return str(scope).partition("/")[0]
