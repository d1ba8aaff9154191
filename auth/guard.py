"""Who may: turns the headers of a request into a token, and a token into a Mandate.

Nothing here waits but for a lease of a budget; the token's signature is checked once and cached,
and whether all of it still holds is checked again by the recording statement.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from limits import RateLimitItem, RateLimitItemPerSecond

from auth.budgets import Budgets, Charge
from auth.leases import Span, Unit
from auth.limits import AgencyLimiter, LimitState
from auth.tokens import TokenVerifier, authorization
from dtsen.clock import Clock
from dtsen.disclosure.authority import Authority, ClientAuthority, Snapshot
from dtsen.disclosure.mandate import (
    AccessToken,
    Mandate,
    Operation,
    bare_mandate,
    identify,
    mandate,
)
from dtsen.errors import DtsenError, InsufficientScope, RateLimited

WITHOUT_AGREEMENT_PER_SECOND = 5
"""Requests a second of a client that no agreement lists; it reaches the "any" calls alone."""
MOST_MANDATES = 20_000

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Headers as ASGI gives them, names in lower case."""


@dataclass(slots=True)
class Admitted:
    """A client that showed a valid token, and what its limits say for the RateLimit headers."""

    token: AccessToken
    snapshot: Snapshot
    client: ClientAuthority
    states: list[LimitState] = field(default_factory=list)


class Guard:
    """One worker's guard."""

    def __init__(
        self,
        authority: Authority,
        verifier: TokenVerifier,
        limiter: AgencyLimiter,
        budgets: Budgets,
        clock: Clock,
    ) -> None:
        self._authority = authority
        self._verifier = verifier
        self._limiter = limiter
        self._budgets = budgets
        self._clock = clock
        self._mandates: dict[tuple[str, str, str | None], tuple[Snapshot, Mandate]] = {}

    def admit(self, headers: RawHeaders, query: bytes) -> Admitted:
        """Authenticate a request by its Authorization header.

        Raises:
            DoubledAuthorization, Unauthenticated, Unavailable: as they say.
        """
        token = self._verifier.verify(authorization(headers, query))
        snapshot = self._authority.current
        return Admitted(token, snapshot, identify(snapshot, token))

    async def limit(self, admitted: Admitted) -> None:
        """Charge one request to the burst of this worker and to the running minute of all.

        Raises:
            RateLimited: one of them is used up; nothing was charged.
            Unavailable: the budget could not be drawn on.
        """
        client, agreement = admitted.token.client_id, admitted.client.agreement
        rate = WITHOUT_AGREEMENT_PER_SECOND
        holder = f"client:{client}"
        if agreement is not None:
            rate = agreement.terms.quota.requests.per_second
            holder = f"agreement:{agreement.terms.agreement}"
        hit = self._limiter.hit(_per_second(rate), "burst", client)
        admitted.states.append(LimitState("burst", rate, 1, hit.remaining, hit.reset_after))
        if not hit.allowed:
            raise RateLimited(headers={"Retry-After": "1"})
        await self._charge(admitted, holder, "requests", {"minute": rate * 60}, 1)

    async def charge_people(self, admitted: Admitted, asked: Mandate, people: int) -> Charge | None:
        """Charge people to the agreement's budgets, weighted by what its plan opens.

        Raises:
            QuotaExhausted: a budget does not cover them; nothing was charged.
            Unavailable: the budget could not be drawn on.
        """
        agreement = asked.agreement
        if agreement is None or asked.plan is None:
            return None
        quota = agreement.terms.quota.people
        spans: dict[Span, int] = {"day": quota.per_day}
        if quota.per_month is not None:
            spans["month"] = quota.per_month
        holder = f"agreement:{agreement.terms.agreement}"
        return await self._charge(admitted, holder, "people", spans, people * asked.plan.weight)

    async def _charge(
        self, admitted: Admitted, holder: str, unit: Unit, spans: Mapping[Span, int], cost: int
    ) -> Charge:
        """Charge a budget; how it stands is announced on a refusal too."""
        try:
            charge = await self._budgets.charge(holder, unit, spans, cost)
        except DtsenError:
            admitted.states.extend(self._budgets.states(holder, unit, spans))
            raise
        admitted.states.extend(charge.states)
        return charge

    def mandate(self, admitted: Admitted, operation: Operation, purpose: str | None) -> Mandate:
        """The mandate for one operation; kept until authority or token changes.

        Raises:
            what `dtsen.disclosure.mandate.mandate` raises.
        """
        key = (admitted.token.jti, operation.id, purpose)
        held = self._mandates.get(key)
        now = self._clock.now()
        if held is not None and held[0] is admitted.snapshot:
            agreement = held[1].agreement
            if agreement is None or now < agreement.ends:
                return held[1]
        made = _mandate(admitted.snapshot, admitted.token, operation, purpose, now)
        if len(self._mandates) > MOST_MANDATES:
            self._mandates.clear()
        self._mandates[key] = (admitted.snapshot, made)
        return made


@dataclass(frozen=True, slots=True)
class Judging:
    """Judges a token anew: the whole mandate, or for a refusal the client alone."""

    token: AccessToken
    operation: Operation
    purpose: str | None = None
    refusal: bool = False

    def __call__(self, snapshot: Snapshot, now: datetime) -> Mandate:
        """Make the mandate from this snapshot, or raise the refusal."""
        if self.refusal:
            return bare_mandate(snapshot, self.token, self.operation)
        return _mandate(snapshot, self.token, self.operation, self.purpose, now)


def _mandate(
    snapshot: Snapshot, token: AccessToken, operation: Operation, purpose: str | None, now: datetime
) -> Mandate:
    """The mandate; a missing scope is told as RFC 6750 3.1 wants it."""
    try:
        return mandate(snapshot, token, operation, purpose, now)
    except InsufficientScope:
        challenge = f'Bearer error="insufficient_scope", scope="{operation.scope}"'
        raise InsufficientScope(headers={"WWW-Authenticate": challenge}) from None


@lru_cache(maxsize=1024)
def _per_second(rate: int) -> RateLimitItem:
    return RateLimitItemPerSecond(rate)
