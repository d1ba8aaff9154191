"""What one call pays for the people that its answer discloses."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.types import Scope

from api.parts import Parts
from auth.guard import Admitted
from auth.leases import Charge
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.question import Answer, UnpaidError
from dtsen.errors import QuotaExhausted, Unavailable

MOST_READS = 4
"""Of one call: a family may grow between the read that told its size and the next."""


class Repeated(NamedTuple):
    """An `Idempotency-Key`, and what tells the request sent under it from another."""

    key: str
    request: tuple[bytes, ...]


def repeated_under(key: str | None, scope: Scope, content: bytes | None) -> Repeated | None:
    """What a request under a key is told from others by; None where it names no key."""
    if key is None:
        return None
    request = scope["method"].encode(), scope["raw_path"], scope["query_string"]
    return Repeated(key, (*request, content or b""))


class Bill:
    """The charges of one call.

    Under an `Idempotency-Key` nothing comes back with a refusal: it is paid for the repeat, who may
    be on its way already.
    """

    def __init__(
        self, parts: Parts, admitted: Admitted, mandate: Mandate, repeated: Repeated | None
    ) -> None:
        self._parts = parts
        self._admitted = admitted
        self._mandate = mandate
        self._repeated = repeated
        self._charges: list[Charge] = []

    async def answer(self, ask: Callable[..., Awaitable[Answer]], people: int) -> Answer:
        """The answer, once everybody is paid for whom it discloses; `people`: those asked for.

        Where more would leave (the members of a family), they are charged for before any does. What
        was charged comes back when nothing left.

        Raises:
            QuotaExhausted: a budget does not cover them.
            DtsenError: the refusal; nothing left.
        """
        await self._cover(people)
        try:
            for _ in range(MOST_READS):
                try:
                    return await ask(paid=people)
                except UnpaidError as found:
                    people = found.people
                await self._cover_more(people)
        except BaseException:
            for charge in self._charges:
                charge.refund()
            raise
        raise Unavailable

    async def _cover_more(self, people: int) -> None:
        """Charge for more people than were asked for.

        A refusal leaves what was paid for those paid: whoever could ask again for nothing would
        learn for nothing that there is somebody.
        """
        try:
            await self._cover(people)
        except QuotaExhausted:
            self._charges.clear()
            raise

    async def _cover(self, people: int) -> None:
        """See that this many people are paid for, those paid for before included."""
        guard, repeats = self._parts.guard, self._parts.repeats
        admitted, mandate = self._admitted, self._mandate
        if self._repeated is None:
            paid = sum(charge.cost for charge in self._charges)
            charge = await guard.charge_people(admitted, mandate, people, paid=paid)
            if charge is not None:
                self._charges.append(charge)
            return
        key, request = self._repeated
        purpose = (mandate.purpose or "").encode()
        claim = await repeats.claim(admitted.token.client_id, key, (*request, purpose))
        charge = await guard.charge_people(admitted, mandate, people, paid=claim.paid)
        if charge is not None:
            await repeats.settle(claim, claim.paid + charge.cost)
