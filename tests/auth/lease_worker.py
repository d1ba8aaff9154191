"""A worker that spends one budget until it is refused or kills itself at a named point of a lease.

`python -m tests.auth.lease_worker URL HOLDER CEILING POINT NTH SECONDS_TO_MIDNIGHT`. Each person is
told on standard output, with the window that paid, before the next is asked for; nothing is told
that was not accepted, and what was accepted untold at a kill is one person at most.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from auth.budgets import Budgets
from auth.leases import Line
from dtsen.clock import Clock
from dtsen.database import open_pool
from dtsen.errors import QuotaExhausted

POINTS = ("asking", "drawn", "taken", "told", "returning", "returned")


class Killing(Budgets):
    """The product's budgets, which die at a point on its nth passing."""

    def __init__(self, pool: Any, clock: Clock, point: str, nth: int) -> None:
        super().__init__(pool, clock)
        self._point, self._left = point, nth

    def passing(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    async def _draw(self, *told: Any) -> Any:
        self.passing("asking")
        granted = await super()._draw(*told)
        self.passing("drawn")
        return granted

    def _take(self, *told: Any) -> Any:
        taken = super()._take(*told)
        self.passing("taken")
        return taken

    async def _give(self, unspent: Any) -> None:
        self.passing("returning")
        await super()._give(unspent)
        self.passing("returned")


class Generous(Killing):
    """The defect that the test must catch: more is held than the database granted."""

    async def _draw(self, owner: Any, account: Any, *told: Any) -> Any:
        granted = await super()._draw(owner, account, *told)
        for line in granted:
            account.leases[line].held += 1
        return granted


async def main(url: str, holder: str, ceiling: str, *how: str) -> None:
    point, nth, midnight = how
    clock = Clock()
    clock.offset = timedelta(seconds=float(midnight))
    async with await open_pool(url, name="k", size=2) as pool:
        budgets = (Generous if point == "defect" else Killing)(pool, clock, point, int(nth))
        line = Line(holder, "day", "people-day")
        while True:
            try:
                charge = await budgets.charge(holder, "people", {line: int(ceiling)}, 1)
            except QuotaExhausted:
                break
            ((_, starts),) = charge.windows
            os.write(1, f"{starts.isoformat()} {clock.now().isoformat()}\n".encode())
            budgets.passing("told")
            await asyncio.sleep(0)
        await budgets.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
