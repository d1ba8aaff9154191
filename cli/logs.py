"""Where `dtsen audit` finds logs: folders, addresses, and entries that only a client may read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from dtsen.audit.bucket import Bucket
from dtsen.audit.publication import CHECKPOINT
from dtsen.audit.stores import Store
from dtsen.client import Agency, CallFailed, TokenRefused, opened
from dtsen.verifier.checking import Bundles
from dtsen.verifier.faults import Absent, Refused, Unreachable
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


class Stored:
    """One year's log as it lies in a store."""

    def __init__(self, store: Store, year: int) -> None:
        """Take what `DTSEN_LOG_URI` names."""
        self._store = store
        self._year = year

    def read(self, path: str) -> bytes:
        """The bytes at a path.

        Raises:
            Absent: there is nothing.
            Unreachable: the store refuses or does not answer.
        """
        try:
            found = self._store.read(f"{self._year}/{path}")
        except OSError as error:
            raise Unreachable(f"{error.filename}: {error.strerror}") from None
        if found is None:
            raise Absent(path)
        return found

    def __str__(self) -> str:
        """The prefix."""
        return self._store.locate(str(self._year))


@contextmanager
def logs_of(place: str, http: httpx2.Client, client: Path | None) -> Iterator[Logs]:
    """What lists the logs at a place, until the block ends.

    A place is a folder, `s3://bucket/prefix`, or an address.
    """
    if place.startswith("s3://"):
        yield lambda: _stored(Bucket(place))
    elif not place.startswith(("http://", "https://")):
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


def _stored(store: Store) -> Sequence[Source]:
    try:
        years = sorted(store.years(CHECKPOINT))
    except OSError as error:
        raise Unreachable(f"{error.filename}: {error.strerror}") from None
    if not years:
        raise Unreachable(f"{store.locate('')} holds no log")
    return [Stored(store, year) for year in years]


def bundles_of(log: Source, client: Path | None) -> Bundles | None:
    """The log's own entries, where they lie beside it or are open to the client."""
    return Bundles(log) if client or (isinstance(log, Folder) and log.holds_entries()) else None
