"""A log read over HTTP: from the log itself or from a mirror of it."""

import time
from collections.abc import Callable, Mapping

import httpx2

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import read_note
from dtsen.verifier.faults import Absent, Refused, Unreachable
from dtsen.verifier.source import CHECKPOINT

TIMEOUT_SECONDS = 30
ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 10.0

_ENTRIES = "tile/entries/"
_GONE = {httpx2.codes.NOT_FOUND, httpx2.codes.GONE}
_SHUT = {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}


class Mirror:
    """A log at an address, such as `https://.../log/2026`; busy servers are asked again."""

    def __init__(
        self,
        prefix: str,
        http: httpx2.Client,
        entry_headers: Callable[[str], Mapping[str, str]] = lambda _: {},
    ) -> None:
        """Take the log's prefix and, for its entries, what makes headers for a path."""
        self._prefix = prefix.rstrip("/")
        self._http = http
        self._entry_headers = entry_headers

    def read(self, path: str) -> bytes:
        """The body at a path.

        Raises:
            Absent: 404.
            Refused: 401 or 403.
            Unreachable: no good answer after several attempts.
        """
        told = "no answer"
        for attempt in range(ATTEMPTS):
            wait = min(FIRST_WAIT_SECONDS * 2**attempt, LONGEST_WAIT_SECONDS)
            try:
                url = httpx2.URL(f"{self._prefix}/{path}")
                shown = self._entry_headers(url.path) if path.startswith(_ENTRIES) else {}
                answer = self._http.get(url, headers=shown, follow_redirects=True)
            except httpx2.HTTPError as error:
                told = type(error).__name__
            else:
                if answer.is_success:
                    return answer.content
                told = f"HTTP {answer.status_code}"
                if answer.status_code in _GONE:
                    raise Absent(path)
                if answer.status_code in _SHUT:
                    raise Refused(f"{self._prefix}/{path}: {told}")
                if answer.is_client_error and answer.status_code != httpx2.codes.TOO_MANY_REQUESTS:
                    break
                wait = _retry_after(answer) or wait
            if attempt < ATTEMPTS - 1:
                time.sleep(wait)
        raise Unreachable(f"{self._prefix}/{path}: {told}")

    def __str__(self) -> str:
        """The prefix."""
        return self._prefix


def logs_at(
    url: str, http: httpx2.Client, entry_headers: Callable[[str], Mapping[str, str]] = lambda _: {}
) -> list[Mirror]:
    """The logs at an address, oldest year first: `https://.../log` has one below it a year.

    Raises:
        Absent, Unreachable: no checkpoint can be read there.
        NoteInvalid: what is there is no checkpoint.
    """
    newest = Mirror(url, http)
    origin = Checkpoint.parse(read_note(newest.read(CHECKPOINT))[0]).origin
    base, year = url.rstrip("/"), origin.rpartition("/")[2]
    if base.endswith(f"/{year}") or not year.isdecimal():
        return [Mirror(base, http, entry_headers)]
    found: list[Mirror] = []
    for one in range(int(year), 0, -1):
        found.insert(0, Mirror(f"{base}/{one}", http, entry_headers))
        try:
            Mirror(f"{base}/{one - 1}", http).read(CHECKPOINT)
        except Absent:
            break
    return found


def _retry_after(answer: httpx2.Response) -> float | None:
    said = answer.headers.get("retry-after", "")
    return min(float(said), LONGEST_WAIT_SECONDS) if said.isdigit() else None
