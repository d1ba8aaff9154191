"""What agreements say of a client to the authorization server; answered from memory."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dtsen.clock import WIB, Clock
from dtsen.disclosure.authority import Authority
from dtsen.disclosure.mandate import AccessToken, identify
from dtsen.errors import Unauthenticated
from schemas.agreement_models import Binding


@dataclass(frozen=True, slots=True)
class Demand:
    """How an agreement wants a client's tokens bound; `until`: when its dated exception ends."""

    binding: Binding
    until: datetime | None = None


class AgreementGrants:
    """Scopes and exceptions of clients, as the present authority has them."""

    def __init__(self, authority: Authority, clock: Clock) -> None:
        self._authority = authority
        self._clock = clock

    def granted(self, client_id: str) -> frozenset[str] | None:
        """Its scopes; empty: only the calls open to any token; None: no token at all.

        Raises:
            Unavailable: authority could not be read for a second.
        """
        client = self._authority.current.clients.get(client_id)
        if client is None:
            return None
        agreement = client.agreement
        if agreement is None or not agreement.starts <= self._clock.now() < agreement.ends:
            return frozenset()
        return agreement.scopes()

    def demand(self, client_id: str) -> Demand:
        """How its tokens must be bound.

        Raises:
            Unavailable: authority could not be read for a second.
        """
        client = self._authority.current.clients.get(client_id)
        if client is None or client.agreement is None:
            return Demand("none")
        tokens = client.agreement.terms.tokens
        today = self._clock.now().astimezone(WIB).date()
        for exception in tokens.exceptions:
            if exception.client == client_id and today <= exception.until:
                return Demand(exception.binding, end_of_day(exception.until))
        return Demand(tokens.binding)

    def in_force(self, token: AccessToken) -> bool:
        """Whether a verified token still serves: neither it nor its client is revoked.

        Raises:
            Unavailable: authority could not be read for a second.
        """
        try:
            identify(self._authority.current, token)
        except Unauthenticated:
            return False
        return token.expires > self._clock.now()


def end_of_day(day: date) -> datetime:
    """The instant at which a day of WIB is over, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=WIB).astimezone(UTC) + timedelta(days=1)
