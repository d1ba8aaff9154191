"""Calls of one client to the log, patient with a busy server, whose receipts are kept."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from cli import session
from cli.read_client import read_client
from cli.session import Renewed, TokenRefused, connected
from dtsen.verifier.faults import Absent, Refused, Unreachable
from dtsen.verifier.receipts import read_receipts

TIMEOUT_SECONDS = 30
PATIENCE_SECONDS = 60
RECEIPT = "DTSEN-Access-Record"

_BUSY = {httpx2.codes.TOO_MANY_REQUESTS, httpx2.codes.SERVICE_UNAVAILABLE}


class Caller:
    """A client with a token."""

    def __init__(self, client: dict[str, Any], http: httpx2.Client, receipts: Path | None) -> None:
        """Take a client's file and where to append the receipts of its calls."""
        self.client = client
        self._http = http
        self._file = receipts
        self._renewed = Renewed(client, http)
        self.own: dict[UUID, bytes] = {}
        """Receipts of the calls made here."""

    def call(self, method: str, path: str, **how: Any) -> httpx2.Response:  # noqa: ANN401 - httpx2's own
        """The good answer to a call.

        Raises:
            Absent: 404.
            Refused: any other refusal.
            Unreachable: no good answer in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._send(method, path, **how)
            if answer.is_success:
                return answer
            if answer.status_code == httpx2.codes.NOT_FOUND:
                raise Absent(path)
            if answer.status_code not in _BUSY:
                raise Refused(f"{path}: HTTP {answer.status_code}")
            if time.monotonic() >= deadline:
                raise Unreachable(f"{path}: HTTP {answer.status_code}")
            said = answer.headers.get("retry-after", "1")
            time.sleep(min(float(said) if said.isdigit() else 1.0, 10.0))

    def _send(self, method: str, path: str, **how: Any) -> httpx2.Response:  # noqa: ANN401 - httpx2's own
        try:
            token = self._renewed.token()
            answer = session.call(self.client, token, method, path, http=self._http, **how)
        except TokenRefused as error:
            raise Refused(str(error)) from None
        except httpx2.HTTPError as error:
            raise Unreachable(f"{self.client['issuer']}: {type(error).__name__}") from None
        receipt = answer.headers.get(RECEIPT)
        if receipt is not None:
            self.own |= read_receipts(receipt)
            if self._file is not None:
                with self._file.open("a") as writing:
                    writing.write(receipt + "\n")
        return answer


@contextmanager
def caller(client_file: Path, receipts: Path | None = None) -> Iterator[Caller]:
    """A client that calls until the block ends."""
    client = read_client(client_file)
    with connected(client, timeout=TIMEOUT_SECONDS) as http:
        yield Caller(client, http, receipts)
