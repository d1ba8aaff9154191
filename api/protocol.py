"""HTTP/1.1 as uvicorn speaks it, with heads bounded and its own refusals told as problems.

What is no HTTP never reaches the application, and httptools reads a head of any length: both end
here, before anything is known of the sender.
"""

from functools import cache

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.call import SAFE_HEADERS
from api.problems import MEDIA_TYPE, problem_body
from dtsen.audit.record import new_record_id
from dtsen.clock import Clock
from dtsen.errors import MalformedHttp
from dtsen.settings import read_settings

MOST_HEAD_BYTES = 65_536
"""Of the request line and all headers, counted in whole reads while they come in."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _unfinished = 0

    def data_received(self, data: bytes) -> None:
        """Read on; a head that does not end is given up."""
        super().data_received(data)
        if not self._in_head:
            self._unfinished = 0
            return
        self._unfinished += len(data)
        if self._unfinished > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over, unless its head is too large.

        Raises:
            httptools.HttpParserError: it is; the parser stops and the refusal is sent.
        """
        self._in_head = False
        if sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD_BYTES:
            raise httptools.HttpParserError
        super().on_headers_complete()

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
