"""Who may: turns a request's headers into a token that is its sender's, and that into a Mandate.

Nothing here waits but for a lease of a budget; the token's signature is checked once and cached,
and whether all of it still holds is checked again by the recording statement.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from starlette.types import Scope

from auth.budgets import Budgets
from auth.leases import Ceilings, Charge, Unit
from auth.limits import AgencyLimiter, LimitState
from auth.possession import Possession
from auth.quotas import Quotas
from auth.tokens import TokenVerifier, authorization, challenge, refused_token
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
from dtsen.disclosure.proof import Proof, Signature
from dtsen.disclosure.said import PURPOSE, Said, check_said, check_signed
from dtsen.errors import (
    DtsenError,
    InsufficientScope,
    ProofRefused,
    RateLimited,
    SignatureRefused,
    Unauthenticated,
    Unavailable,
)

MOST_MANDATES = 20_000

Asked: TypeAlias = tuple[str, Unit, Ceilings, int]
"""What `Budgets.charge` is asked for."""


@dataclass(slots=True)
class Admitted:
    """A client that showed a valid token, and what its limits say for the RateLimit headers."""

    token: AccessToken
    snapshot: Snapshot
    client: ClientAuthority
    proof: Proof | None = None
    nonce: str | None = None
    signature: Signature | None = None
    states: list[LimitState] = field(default_factory=list)


class Guard:
    """One worker's guard."""

    def __init__(
        self,
        authority: Authority,
        verifier: TokenVerifier,
        limiter: AgencyLimiter,
        budgets: Budgets,
        *,
        clock: Clock,
        possession: Possession,
    ) -> None:
        self._authority = authority
        self._verifier = verifier
        self._limiter = limiter
        self._budgets = budgets
        self._quotas = Quotas()
        self._clock = clock
        self._possession = possession
        self._mandates: dict[tuple[str, str, str | None], tuple[Snapshot, Mandate]] = {}

    def admit(self, scope: Scope) -> Admitted:
        """Authenticate a request by its token, and by proof that it is the sender's own.

        Raises:
            DoubledAuthorization, Unauthenticated, ProofRefused, Unavailable: as they say.
        """
        scheme, text = authorization(scope["headers"], scope["query_string"])
        try:
            token = self._verifier.verify(text)
        except Unauthenticated:
            raise refused_token("DPoP" if scheme == b"dpop" else "Bearer") from None
        proof = self._possession.show(scope, scheme, token)
        snapshot = self._authority.current
        client = identify(snapshot, token)
        if proof is not None and proof.unused < snapshot.fence:
            raise self._possession.behind(snapshot.fence)
        nonce = self._possession.nonce() if proof is not None else None
        return Admitted(token, snapshot, client, proof, nonce)

    async def limit(self, admitted: Admitted) -> None:
        """Charge one request to the bursts of this worker and to the running minute of all.

        Raises:
            RateLimited: one of them is used up; nothing was charged.
            Unavailable: the budget could not be drawn on.
        """
        quota = self._quotas.requests(admitted.snapshot, admitted.token.client_id)
        for burst in quota.bursts:
            hit = self._limiter.hit(f"{burst.rate}/second", "burst", burst.holder)
            admitted.states.append(
                LimitState(burst.name, burst.rate, 1, hit.remaining, hit.reset_after)
            )
            if not hit.allowed:
                raise RateLimited(headers={"Retry-After": "1"})
        asked: Asked = (quota.within, "requests", quota.ceilings, 1)
        charge = self._budgets.take(*asked) or await self._draw(admitted, asked)
        admitted.states.extend(charge.states)

    async def charge_people(
        self, admitted: Admitted, asked: Mandate, people: int, *, paid: int = 0
    ) -> Charge | None:
        """Charge people to the budgets of agency, client and purpose, weighted by the plan.

        `paid`: what of it was charged before; None is returned where nothing is left to charge.

        Raises:
            QuotaExhausted: a budget does not cover them; nothing was charged.
            Unavailable: the budget could not be drawn on.
        """
        agreement = asked.agreement
        if agreement is None or asked.plan is None:
            return None
        quota = self._quotas.people(
            admitted.snapshot, admitted.token.client_id, agreement, asked.purpose
        )
        cost = people * asked.plan.weight - paid
        if paid:  # what was announced with the charge before is outdated
            admitted.states = [state for state in admitted.states if state.unit != "people"]
        if cost <= 0:
            admitted.states.extend(self._budgets.states(quota.within, "people", quota.ceilings))
            return None
        charged: Asked = (quota.within, "people", quota.ceilings, cost)
        charge = self._budgets.take(*charged) or await self._draw(admitted, charged)
        admitted.states.extend(charge.states)
        return charge

    async def _draw(self, admitted: Admitted, asked: Asked) -> Charge:
        """Charge what no lease covers; how the budgets stand is announced on a refusal too."""
        try:
            return await self._budgets.charge(*asked)
        except DtsenError:
            admitted.states.extend(self._budgets.states(*asked[:3]))
            raise

    def mandate(self, admitted: Admitted, operation: Operation, said: Said) -> Mandate:
        """The mandate for one operation and what its request says of itself.

        Raises:
            what `dtsen.disclosure.mandate.mandate`, `check_said` and `check_signed` raise.
        """
        check_signed(admitted.client, signed=admitted.signature is not None)
        made = self._mandate(admitted, operation, said.get(PURPOSE))
        check_said(made, said)
        return made

    def _mandate(self, admitted: Admitted, operation: Operation, purpose: str | None) -> Mandate:
        """The mandate, kept until authority or token changes."""
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


@dataclass(slots=True)
class Judging:
    """Judges a token anew: the whole mandate, or for a refusal the client alone."""

    token: AccessToken
    operation: Operation
    said: Said = field(default_factory=dict)
    refusal: bool = False
    proof: Proof | None = None
    signature: Signature | None = None

    def __call__(self, snapshot: Snapshot, now: datetime) -> Mandate:
        """Make the mandate from this snapshot, or raise the refusal."""
        if self.token.expires <= now:
            raise refused_token(self.token.scheme)
        if self.proof is not None and self.proof.expires <= now:
            raise ProofRefused
        if self.proof is not None and self.proof.unused < snapshot.fence:
            # The database changed while this was on its way; the next call is told what to do.
            raise Unavailable
        if self.signature is not None and self.signature.expires <= now:
            raise SignatureRefused
        if self.signature is not None and self.signature.unused < snapshot.fence:
            raise Unavailable
        if self.refusal:
            return bare_mandate(snapshot, self.token, self.operation)
        check_signed(identify(snapshot, self.token), signed=self.signature is not None)
        made = _mandate(snapshot, self.token, self.operation, self.said.get(PURPOSE), now)
        check_said(made, self.said)
        return made


def _mandate(
    snapshot: Snapshot, token: AccessToken, operation: Operation, purpose: str | None, now: datetime
) -> Mandate:
    """The mandate; a missing scope is told as RFC 6750 3.1 wants it."""
    try:
        return mandate(snapshot, token, operation, purpose, now)
    except InsufficientScope:
        told = challenge(token.scheme, "insufficient_scope", f'scope="{operation.scope}"')
        raise InsufficientScope(headers={"WWW-Authenticate": told}) from None
