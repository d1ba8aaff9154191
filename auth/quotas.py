"""Which budgets a call takes from: its agency's, its agreement's, its client's, its purpose's.

The outermost is the agency's, the sum over its agreements in force: an agreement that replaces
another in the middle of a day brings no fresh day with it. Nothing here names a token, a worker, a
connection or an agreement's version, so that none of them has a budget of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auth.leases import Ceilings, Line
from dtsen.disclosure.authority import AgreementInForce, Snapshot
from schemas.agreement import Agreement
from schemas.agreement_quota import People, PeopleShare

WITHOUT_AGREEMENT_PER_SECOND = 5
"""Requests a second of a client that no agreement lists; it reaches the "any" calls alone."""
MINUTE = 60


class Burst(NamedTuple):
    """Requests a second of one holder in one worker; `name` is how it is announced."""

    name: str
    holder: str
    rate: int


@dataclass(frozen=True, slots=True)
class RequestQuota:
    """What every request of a client takes from; `within`: see `Budgets.charge`.

    `bursts`: the narrowest first, so that what one client may not send costs the others nothing.
    """

    within: str
    bursts: Sequence[Burst]
    ceilings: Ceilings


@dataclass(frozen=True, slots=True)
class PeopleQuota:
    """What people disclosed to a client for a purpose take from."""

    within: str
    ceilings: Ceilings


class Quotas:
    """Quotas as one snapshot of authority says them; made once for each client and purpose."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._requests: dict[str, RequestQuota] = {}
        self._people: dict[tuple[str, str | None], PeopleQuota] = {}

    def requests(self, snapshot: Snapshot, client: str) -> RequestQuota:
        """What a request of a client takes from."""
        self._take_over(snapshot)
        held = self._requests.get(client)
        if held is None:
            held = self._requests[client] = _requests(snapshot, client)
        return held

    def people(
        self, snapshot: Snapshot, client: str, agreement: AgreementInForce, purpose: str | None
    ) -> PeopleQuota:
        """What people disclosed to a client for a purpose take from."""
        self._take_over(snapshot)
        held = self._people.get((client, purpose))
        if held is None:
            held = self._people[client, purpose] = _people(snapshot, client, agreement, purpose)
        return held

    def _take_over(self, snapshot: Snapshot) -> None:
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self._requests.clear()
            self._people.clear()


def _requests(snapshot: Snapshot, client: str) -> RequestQuota:
    known = snapshot.clients[client]
    if known.agreement is None:
        return _bursts(f"client:{client}", [Burst("burst", client, WITHOUT_AGREEMENT_PER_SECOND)])
    terms = known.agreement.terms
    siblings = _siblings(snapshot, terms)
    within = f"agency:{known.agency}"
    bursts = []
    share = terms.quota.clients.get(client)
    if share is not None and share.requests is not None:
        bursts.append(Burst("client-burst", f"client:{client}", share.requests.per_second))
    if len(siblings) > 1:
        rate = terms.quota.requests.per_second
        bursts.append(Burst("agreement-burst", f"agreement:{terms.agreement}", rate))
    whole = sum(each.quota.requests.per_second for each in siblings)
    bursts.append(Burst("burst", within, whole))
    return _bursts(within, bursts)


def _bursts(within: str, bursts: Sequence[Burst]) -> RequestQuota:
    """A rate is counted in each worker for a second, and over all of them for a minute."""
    ceilings = {
        Line(burst.holder, "minute", burst.name.replace("burst", "requests-minute")): (
            burst.rate * MINUTE
        )
        for burst in bursts
    }
    return RequestQuota(within, bursts, ceilings)


def _people(
    snapshot: Snapshot, client: str, agreement: AgreementInForce, purpose: str | None
) -> PeopleQuota:
    terms = agreement.terms
    siblings = _siblings(snapshot, terms)
    within = f"agency:{terms.agency.code}"
    ceilings: dict[Line, int] = {
        Line(within, "day", "people-day"): sum(each.quota.people.per_day for each in siblings)
    }
    months = [each.quota.people.per_month for each in siblings]
    if None not in months:
        ceilings[Line(within, "month", "people-month")] = sum(month or 0 for month in months)
    parts: list[tuple[str, str, People | PeopleShare]] = []
    if len(siblings) > 1:
        parts.append(("agreement", terms.agreement, terms.quota.people))
    share = terms.quota.clients.get(client)
    if share is not None and share.people is not None:
        parts.append(("client", client, share.people))
    if purpose is not None and purpose in terms.quota.purposes:
        name = f"{terms.agreement}:{purpose}"
        parts.append(("purpose", name, terms.quota.purposes[purpose]))
    for level, name, people in parts:
        if people.per_day is not None:
            ceilings[Line(f"{level}:{name}", "day", f"{level}-people-day")] = people.per_day
        if people.per_month is not None:
            ceilings[Line(f"{level}:{name}", "month", f"{level}-people-month")] = people.per_month
    return PeopleQuota(within, ceilings)


def _siblings(snapshot: Snapshot, terms: Agreement) -> list[Agreement]:
    """All agreements in force of the same agency."""
    return [
        other.terms
        for other in snapshot.agreements.values()
        if other.terms.agency.code == terms.agency.code
    ]
