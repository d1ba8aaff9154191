"""What agreements say of a client to the authorization server; answered from memory."""

from dtsen.clock import WIB, Clock
from dtsen.disclosure.authority import Authority


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

    def bearer_excepted(self, client_id: str) -> bool:
        """Whether a dated exception in force lets it have a token bound to no key."""
        client = self._authority.current.clients.get(client_id)
        if client is None or client.agreement is None:
            return False
        today = self._clock.now().astimezone(WIB).date()
        return any(
            exception.client == client_id
            and exception.binding == "none"
            and today <= exception.until
            for exception in client.agreement.terms.tokens.exceptions
        )
