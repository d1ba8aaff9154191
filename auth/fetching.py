"""A client's JWK set from where its agency publishes it: named hosts only, and nothing inside.

Fetched when an operator registers or rotates, never while a request waits. The address that was
checked is the one connected to; redirects are not followed; size and time are bounded.
"""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from auth.jwks import KeysRefused

MOST_BYTES = 65_536
SECONDS = 5.0
HTTPS = 443


UNICAST = IPv6Network("2000::/3")
TUNNELLED = IPv6Network("2002::/16")


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet, and no other one in its clothes."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found not in UNICAST or found in TUNNELLED:
            return False  # translated or tunnelled, an address may stand for one inside
    return found.is_global and not found.is_multicast


def fetch_jwks(
    url: str,
    hosts: Collection[str],
    *,
    allowed: Callable[[str], bool] = is_public,
    context: ssl.SSLContext | None = None,
) -> Any:  # noqa: ANN401 - any JSON; `read_public_keys` judges it
    """The JSON document at an https URL of one of `hosts` (`DTSEN_JWKS_HOSTS`).

    Raises:
        KeysRefused: why it was not fetched; never what was found.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise KeysRefused("the URL of a JWK set is https, without login and fragment")
    if parts.hostname not in hosts:
        raise KeysRefused("the URL's host is not one of DTSEN_JWKS_HOSTS")
    port = parts.port or HTTPS
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        addresses = [entry[4][0] for entry in found]
        if not addresses or not all(allowed(str(address)) for address in addresses):
            raise KeysRefused("the URL's host has an address that is not public")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        content = _get(parts.hostname, port, path, str(addresses[0]), context)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, KeysRefused):
            raise
        raise KeysRefused(f"the JWK set cannot be fetched: {type(error).__name__}") from None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise KeysRefused("what is at the URL is not JSON") from None


def _get(host: str, port: int, path: str, address: str, context: ssl.SSLContext | None) -> bytes:
    """The body of a 200, from this address, with the host's certificate.

    Raises:
        KeysRefused: it answers anything else, too much or too slowly.
    """
    connection = http.client.HTTPSConnection(host, port, timeout=SECONDS)
    tls = context or ssl.create_default_context()
    plain = socket.create_connection((address, port), SECONDS)
    pinned = tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    connection.sock = pinned
    # A bound on the whole of it: a host that sends a byte now and then keeps within any other.
    end = threading.Timer(SECONDS, _cut, (pinned,))
    end.start()
    try:
        pinned.do_handshake()
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise KeysRefused("the URL does not answer 200; redirects are not followed")
        content = answer.read(MOST_BYTES + 1)
    finally:
        end.cancel()
        connection.close()
        pinned.close()
    if answer.length and len(content) <= MOST_BYTES:
        raise KeysRefused("the URL did not answer in time")
    if len(content) > MOST_BYTES:
        raise KeysRefused(f"a JWK set has at most {MOST_BYTES} bytes")
    return content


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        # The plain socket's own: that of TLS would wait for the other side.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
