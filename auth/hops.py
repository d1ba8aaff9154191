"""Proxies in front of us: what the named ones say of a request is believed, what others say is not.

A named hop ends TLS and passes on two headers, replacing whatever the client itself sent in them:
the address of its peer and the certificate that the client showed (PEM, percent-encoded, empty or
absent without one).
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from auth.certificates import Certificate, read_forwarded

CERTIFICATE_HEADER = b"x-client-certificate"
ADDRESS_HEADER = b"x-real-ip"
CERTIFICATE_KEY = "dtsen.certificate"

Network = IPv4Network | IPv6Network


def certificate_of(scope: Scope) -> Certificate | None:
    """The certificate that a request's client showed to a named hop, or None."""
    found: Certificate | None = scope.get(CERTIFICATE_KEY)
    return found


class Hops:
    """ASGI in front of the application; only where hops are named."""

    def __init__(self, app: ASGIApp, hops: Sequence[Network]) -> None:
        self._app = app
        self._hops = tuple(hops)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take over what a named hop says."""
        if scope["type"] == "http" and self._named(scope.get("client")):
            _believe(scope)
        await self._app(scope, receive, send)

    def _named(self, peer: tuple[str, int] | None) -> bool:
        if peer is None:
            return False
        try:
            found = ip_address(peer[0])
        except ValueError:
            return False
        return any(found in hop for hop in self._hops)


def _believe(scope: Scope) -> None:
    """Put address and certificate into the scope; what is said twice is not believed."""
    said: dict[bytes, list[bytes]] = {ADDRESS_HEADER: [], CERTIFICATE_HEADER: []}
    for name, value in scope["headers"]:
        if name in said:
            said[name].append(value)
    addresses, certificates = said[ADDRESS_HEADER], said[CERTIFICATE_HEADER]
    if len(addresses) == 1:
        scope["client"] = _peer(addresses[0], scope["client"])
    if len(certificates) == 1:
        scope[CERTIFICATE_KEY] = read_forwarded(certificates[0])


def _peer(said: bytes, hop: Any) -> Any:  # noqa: ANN401 - ASGI's pair of host and port
    try:
        return str(ip_address(said.decode("latin-1").strip())), 0
    except ValueError:
        return hop
