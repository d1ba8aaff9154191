"""HTTP/1.1 as uvicorn speaks it, bounded in size and time, its own refusals told as problems.

What is no HTTP never reaches the application, and httptools reads a head of any length, for any
time: all end here, before anything is known of the sender. A request that comes in one read, as
nearly all do, costs no timer.
"""

import asyncio
from functools import cache

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.headers import SAFE_HEADERS
from api.problems import MEDIA_TYPE, problem_body
from dtsen.audit.record import new_record_id
from dtsen.clock import Clock
from dtsen.errors import MalformedHttp
from dtsen.settings import read_settings

MOST_HEAD_BYTES = 65_536
"""Of the request line and all headers, counted in whole reads while they come in."""
HEAD_SECONDS = 10
"""From the connection, or a request's first byte, to the end of its head."""
BODY_SECONDS = 20
"""From the end of a head to the end of its body."""
UNREAD_SECONDS = 60
"""How long an answer may wait to be read once nothing else is asked for."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _in_body = False
    _unfinished = 0
    _head_at_most = 0
    """Bytes of all reads that the head at hand is in."""
    _step = 0
    """Heads and bodies begun so far."""
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._limit = self.loop.call_later(HEAD_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait with the connection."""
        self._unlimit()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that asks nothing more; who does not read its answer is cut off."""
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():
            self._limit = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that does not end is given up."""
        step = self._step
        self._head_at_most = self._unfinished + len(data)
        super().data_received(data)
        self._limit_what_is_open(step)
        if not self._in_head:
            self._unfinished = 0
            return
        self._unfinished = self._head_at_most
        if self._unfinished > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._in_head = True
        self._step += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over, unless its head is too large.

        Raises:
            httptools.HttpParserError: it is; the parser stops and the refusal is sent.
        """
        self._in_head, self._in_body = False, True
        self._step += 1
        if self._head_at_most > MOST_HEAD_BYTES and self._head_bytes() > MOST_HEAD_BYTES:
            raise httptools.HttpParserError
        super().on_headers_complete()

    def _head_bytes(self) -> int:
        return sum(len(name) + len(value) for name, value in self.headers)

    def on_message_complete(self) -> None:
        """End the reading of a body."""
        self._in_body = False
        super().on_message_complete()

    def _limit_what_is_open(self, before: int) -> None:
        """Give what is not yet whole its time, from when it began; drops do not prolong it."""
        if not (self._in_head or self._in_body):
            self._unlimit()
        elif self._step != before:
            self._unlimit()
            seconds = HEAD_SECONDS if self._in_head else BODY_SECONDS
            self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _unlimit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - our own words instead
        """Refuse what is no HTTP, and end the connection."""
        body = problem_body(
            MalformedHttp(),
            issuer=_issuer(),
            instance=str(new_record_id(int(Clock().now().timestamp() * 1000))),
            language="id",
        )
        headers = (
            *self.server_state.default_headers,
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *SAFE_HEADERS,
        )
        lines = (b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"".join((STATUS_LINE[MalformedHttp.status], *lines, b"\r\n", body)))
        self.transport.close()


@cache
def _issuer() -> str:
    return read_settings().issuer
