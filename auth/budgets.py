"""Budgets of a window, shared by all workers and drawn on by leases.

A worker takes a lease on a budget durably in the database, then spends it in memory; leases shrink
as a budget nears its end (an eighth of what is left, at most 2,000), so that little of it lies
unused in other workers. A lease belongs to one window by the database's clock and dies with it.
What is lost with a worker is spent: a budget may end early by open or lost leases, never late.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

import asyncpg

from auth.leases import DRAW, RETURN, Account, Ceilings, Charge, Lease, Line, Unit, state_of
from auth.limits import LimitState
from dtsen.clock import Clock
from dtsen.database import OUTAGES
from dtsen.errors import DtsenError, QuotaExhausted, RateLimited, Unavailable

Owner = tuple[str, Unit]

LARGEST_LEASE = 2_000
SHARE = 8
DEADLINE_SECONDS = 5
"""Of one draw, and of one request's wait for its turn and its draw together."""

# The last moments of a window: what is spent then must be drawn then, so that the database says
# to which window it belongs, however far off this worker's clock is.
EDGE = timedelta(milliseconds=250)

# After this long others may have drawn much, and what we announce as left would be too much.
FRESH_SECONDS = 10

# A budget found too small is not asked for again at once.
REFUSAL_SECONDS = 1


class Budgets:
    """The budgets that this worker draws on. One event loop, one instance."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._accounts: dict[Owner, Account] = {}
        self._tasks: set[asyncio.Task[Charge]] = set()

    def take(self, within: str, unit: Unit, ceilings: Ceilings, cost: int) -> Charge | None:
        """Take `cost` from the leases that are held, as `charge` does; None: they do not cover it.

        Raises:
            ValueError: the cost is not positive.
        """
        if cost < 1:
            raise ValueError("a charge is at least 1; a negative one would hand out quota")
        account, now = self._account(within, unit), self._clock.now()
        if account.drawing.locked() or not self._covers(account, ceilings, cost, now):
            return None
        return self._take(account, unit, ceilings, cost, now)

    async def charge(self, within: str, unit: Unit, ceilings: Ceilings, cost: int) -> Charge:
        """Take `cost` from every line's window, or from none.

        `within` names what all these lines are nested in, such as their agency. Does not wait where
        the leases held cover it.

        Raises:
            QuotaExhausted: a budget of people does not cover it (or never could).
            RateLimited: a budget of requests does not cover it.
            Unavailable: the database could not be asked, or did not answer.
            ValueError: the cost is not positive.
        """
        taken = self.take(within, unit, ceilings, cost)
        if taken is not None:
            return taken
        account = self._account(within, unit)
        task = asyncio.create_task(self._draw_and_take((within, unit), account, ceilings, cost))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                # Shielded: a lease whose drawing was cancelled half-way would be lost.
                return await asyncio.shield(task)
        except TimeoutError:
            task.add_done_callback(_give_back)
            raise Unavailable from None
        except asyncio.CancelledError:
            task.add_done_callback(_give_back)
            raise

    def states(self, within: str, unit: Unit, ceilings: Ceilings) -> tuple[LimitState, ...]:
        """How the budgets stand, for the headers of an answer that charges nothing."""
        account = self._account(within, unit)
        return _states(account, unit, ceilings, self._clock.now())

    def _account(self, within: str, unit: Unit) -> Account:
        account = self._accounts.get((within, unit))
        if account is None:
            account = self._accounts[within, unit] = Account()
        return account

    async def close(self) -> None:
        """Return what is unspent. Nothing may be charged or refunded after."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        unspent = [
            (line.holder, unit, line.span, lease.starts, lease.held)
            for (_, unit), account in self._accounts.items()
            for line, lease in account.leases.items()
            if lease.held > 0
        ]
        self._accounts.clear()
        await self._give(unspent)

    def _covers(self, account: Account, ceilings: Ceilings, cost: int, now: datetime) -> bool:
        """Whether every line's lease holds the cost, is of the present window, and fresh."""
        edge, monotonic = now + EDGE, self._clock.monotonic()
        for line, ceiling in ceilings.items():
            lease = account.leases.get(line)
            if lease is None or lease.held < cost or edge >= lease.ends:
                return False
            if ceiling < lease.ceiling:
                # Lowered by a new version of the agreement: what others drew meanwhile decides.
                return False
            if monotonic - lease.seen_at > FRESH_SECONDS:
                return False
        return True

    def _take(
        self, account: Account, unit: Unit, ceilings: Ceilings, cost: int, now: datetime
    ) -> Charge:
        leases = [account.leases[line] for line in ceilings]
        for lease in leases:
            lease.held -= cost
        taken = tuple([(lease, lease.starts) for lease in leases])
        return Charge(_states(account, unit, ceilings, now), cost, taken)

    async def _draw_and_take(
        self, owner: Owner, account: Account, ceilings: Ceilings, cost: int
    ) -> Charge:
        """Draw what is missing and take; nobody else takes meanwhile."""
        asked_at = self._clock.monotonic()
        async with account.drawing:
            if account.failed_at > asked_at:
                raise Unavailable
            if not self._covers(account, ceilings, cost, self._clock.now()):
                self._refuse_if_known(owner, account, ceilings, cost)
                drawn = await self._draw(owner, account, ceilings, cost)
                if any(account.leases[line].held < cost for line in ceilings):
                    await self._undo(owner, account, drawn)
                    raise self._refusal(owner, account, ceilings, cost)
            return self._take(account, owner[1], ceilings, cost, self._clock.now())

    def _refuse_if_known(
        self, owner: Owner, account: Account, ceilings: Ceilings, cost: int
    ) -> None:
        """Do not ask the database again for what it has just not had."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for line, ceiling in ceilings.items():
            lease = account.leases.get(line, Lease())
            recent = now < lease.ends and monotonic - lease.seen_at < REFUSAL_SECONDS
            if cost > ceiling or (recent and cost > lease.left(ceiling)):
                raise self._refusal(owner, account, ceilings, cost)

    async def _draw(
        self, owner: Owner, account: Account, ceilings: Ceilings, cost: int
    ) -> dict[Line, int]:
        """Ask for a lease on each line whose own does not do; what was granted, by line."""
        lines = sorted(ceilings)
        asked = [
            [line.holder for line in lines],
            [line.span for line in lines],
            [ceilings[line] for line in lines],
            [self._wanted(account, line, ceilings[line], cost) for line in lines],
        ]
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                rows = await self._pool.fetch(DRAW, owner[1], *asked)
        except OUTAGES:
            account.failed_at = self._clock.monotonic()
            raise Unavailable from None
        granted: dict[Line, int] = {}
        for row in rows:
            line = lines[row["place"] - 1]
            lease = account.leases.setdefault(line, Lease())
            if lease.starts != row["starts"]:
                lease.held = 0
            lease.starts, lease.ends, lease.drawn = row["starts"], row["ends"], row["drawn"]
            lease.held += row["granted"]
            lease.ceiling = ceilings[line]
            lease.seen_at = self._clock.monotonic()
            granted[line] = row["granted"]
        await self._surrender(owner, account, ceilings)
        return granted

    async def _surrender(self, owner: Owner, account: Account, ceilings: Ceilings) -> None:
        """Return what is held beyond ceilings that a new version of the agreement has lowered."""
        beyond = {
            line: min(account.leases[line].held, account.leases[line].drawn - ceiling)
            for line, ceiling in ceilings.items()
        }
        await self._undo(
            owner, account, {line: amount for line, amount in beyond.items() if amount > 0}
        )

    def _wanted(self, account: Account, line: Line, ceiling: int, cost: int) -> int:
        """How much to ask for: the cost alone where nothing is known of the window yet.

        Nothing is known at its edge either: which window will be drawn on is the database's to say.
        """
        lease = account.leases.get(line)
        if lease is None or self._clock.now() + EDGE >= lease.ends:
            return cost
        usual = max(1, min(LARGEST_LEASE, max(0, ceiling - lease.drawn) // SHARE))
        return max(0, max(cost, usual) - lease.held)

    async def _undo(self, owner: Owner, account: Account, granted: Mapping[Line, int]) -> None:
        """Return at once what a refused charge drew, so that others can use it."""
        returned = []
        for line, amount in granted.items():
            if amount:
                lease = account.leases[line]
                lease.held -= amount
                lease.drawn -= amount
                returned.append((line.holder, owner[1], line.span, lease.starts, amount))
        await self._give(returned)

    async def _give(self, unspent: Sequence[tuple[str, Unit, str, datetime, int]]) -> None:
        if not unspent:
            return
        columns = [list(column) for column in zip(*sorted(unspent), strict=True)]
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._pool.execute(RETURN, *columns)
        except OUTAGES:
            # Kept by nobody: the budget ends early, never late.
            return

    def _refusal(self, owner: Owner, account: Account, ceilings: Ceilings, cost: int) -> DtsenError:
        """The 429, telling when the last of the windows that refuse will have ended."""
        now = self._clock.now()
        waits = [
            (account.leases[line].ends - now).total_seconds()
            for line, ceiling in ceilings.items()
            if line in account.leases and account.leases[line].left(ceiling) < cost
        ]
        kind = QuotaExhausted if owner[1] == "people" else RateLimited
        return kind(headers={"Retry-After": str(max(1, ceil(max(waits, default=1.0))))})


def _states(
    account: Account, unit: Unit, ceilings: Ceilings, now: datetime
) -> tuple[LimitState, ...]:
    leases = account.leases
    return tuple(
        [state_of(unit, line, ceiling, leases.get(line), now) for line, ceiling in ceilings.items()]
    )


def _give_back(task: asyncio.Task[Charge]) -> None:
    """Refund a charge whose asker was gone when it was made."""
    if not task.cancelled() and task.exception() is None:
        task.result().refund()
