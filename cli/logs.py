"""Where `dtsen audit` finds logs: folders, addresses, and entries that only a client may read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from dtsen.client import Agency, CallFailed, TokenRefused, opened
from dtsen.verifier.checking import Bundles
from dtsen.verifier.faults import Refused, Unreachable
from dtsen.verifier.mirror import logs_at
from dtsen.verifier.source import Folder, Source, logs_below

Logs = Callable[[], Sequence[Source]]
"""Lists the logs of a place, oldest first; anew each time, since a year may begin."""


class Shown:
    """What shows a client's token to a mirror."""

    def __init__(self, agency: Agency) -> None:
        """Take the client."""
        self._agency = agency

    def headers(self, path: str) -> Mapping[str, str]:
        """What shows the token with a GET of a path.

        Raises:
            Refused: no token is given.
            Unreachable: the authorization server does not answer.
        """
        try:
            return self._agency.shown("GET", path)
        except TokenRefused as error:
            raise Refused(str(error)) from None
        except CallFailed as error:
            raise Unreachable(str(error)) from None


@contextmanager
def logs_of(place: str, http: httpx2.Client, client: Path | None) -> Iterator[Logs]:
    """What lists the logs at a place, a folder or an address, until the block ends."""
    if not place.startswith(("http://", "https://")):
        yield lambda: _below(Path(place))
    elif client is None:
        yield lambda: logs_at(place, http)
    else:
        with opened(client) as agency:
            shown = Shown(agency).headers
            yield lambda: logs_at(place, http, shown)


def _below(folder: Path) -> Sequence[Source]:
    found = logs_below(folder)
    if not found:
        raise Unreachable(f"{folder} holds no log")
    return [Folder(one) for one in found]


def bundles_of(log: Source, client: Path | None) -> Bundles | None:
    """The log's own entries, where they lie beside it or are open to the client."""
    return Bundles(log) if client or (isinstance(log, Folder) and log.holds_entries()) else None
