"""Having the published checkpoint stamped by a timestamp authority (RFC 3161), at most hourly.

In a thread of its own, which nothing waits for: an authority that hangs holds up neither a
publication nor the end of the process.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from threading import Thread

import httpx2
from cryptography.x509 import Certificate
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from dtsen.audit.halt import LogHalted
from dtsen.audit.publication import Publication, read_checkpoint
from dtsen.clock import Clock
from dtsen.verifier.timestamps import (
    SIZES,
    TimestampInvalid,
    answer_path,
    check_timestamp,
    read_sizes,
)

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
HTTP_SECONDS = 10.0
"""How long an authority may take for its whole answer."""
MOST_BYTES = 65_536

_HEADERS = {"Content-Type": "application/timestamp-query"}


class Stamping:
    """Asks one authority."""

    def __init__(
        self,
        url: str,
        authority: Sequence[Certificate],
        publication: Publication,
        clock: Clock,
    ) -> None:
        """Take the authority's address and certificates, and what is to be stamped."""
        self._url = url
        self._authority = authority
        self._publication = publication
        self._clock = clock
        self._running: Thread | None = None

    def begin(self) -> None:
        """Have the newest published checkpoint stamped if it is time, and return at once."""
        if self._running is None or not self._running.is_alive():
            self._running = Thread(target=self._run, name="timestamp", daemon=True)
            self._running.start()

    def wait(self, seconds: float) -> None:
        """Wait for what was begun, at most so many seconds."""
        if self._running is not None:
            self._running.join(seconds)

    def stamp(self) -> bool:
        """Have it stamped if it is time; whether it was.

        Raises:
            httpx2.HTTPError, TimestampInvalid: no answer, or one that proves nothing.
            LogHalted, ValueError, OSError: what is published cannot be read or written.
        """
        year = self._publication.newest_published()
        note = self._publication.checkpoint(year) if year else None
        if year is None or note is None:
            return False
        size = read_checkpoint(note).size
        sizes = read_sizes(self._publication.file(year, SIZES) or b"")
        if size in sizes or (sizes and not self._due(year, sizes[-1])):
            return False
        request = TimestampRequestBuilder(note, HashAlgorithm.SHA256).build()
        answer = self._ask(request.as_bytes())
        check_timestamp(answer, note, self._authority, request.nonce)
        self._publication.put_timestamp(year, size, note, answer)
        return True

    def _run(self) -> None:
        try:
            self.stamp()
        except TimestampInvalid as error:
            log.warning("sequencer: no timestamp: %s", error)
        except (httpx2.HTTPError, LogHalted, ValueError, OSError) as error:
            log.warning("sequencer: no timestamp: %s", type(error).__name__)

    def _due(self, year: int, size: int) -> bool:
        """Whether the last answer is old enough; one that cannot be read is."""
        try:
            last = decode_timestamp_response(self._publication.file(year, answer_path(size)) or b"")
            at = last.tst_info.gen_time
        except ValueError:
            return True
        return self._clock.now() - at >= EVERY

    def _ask(self, body: bytes) -> bytes:
        ends = self._clock.monotonic() + HTTP_SECONDS
        answer = b""
        with (
            httpx2.Client(timeout=HTTP_SECONDS) as http,
            http.stream("POST", self._url, content=body, headers=_HEADERS) as response,
        ):
            response.raise_for_status()
            for part in response.iter_bytes():
                answer += part
                if len(answer) > MOST_BYTES or self._clock.monotonic() > ends:
                    raise ValueError("an authority's answer is too long, or takes too long")
        return answer
