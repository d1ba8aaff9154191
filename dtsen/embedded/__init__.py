"""The PostgreSQL that comes with the project: no account, no package, no administrator needed.

A real server out of a wheel, driven by this package alone: durable, on loopback, with a login each
for owner, API, sequencer and auditor. It ends with the process that started it, however that ends,
and its data outlive whatever is killed. `DTSEN_DATABASE_URL` and its siblings use existing servers
instead.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dtsen.database import DatabaseUrls
from dtsen.embedded.binaries import install
from dtsen.embedded.configuration import write_configuration
from dtsen.embedded.logins import (
    Logins,
    answers,
    ensure_roles,
    new_logins,
    read_logins,
    write_logins,
)
from dtsen.embedded.place import (
    Account,
    ClusterInUse,
    EmbeddedError,
    Place,
    account,
    check_data,
    hold,
    prepare,
    set_aside,
)
from dtsen.embedded.server import START_SECONDS, Server, free_port, initialize
from dtsen.settings import SYSTEM_PGHOME, Settings

__all__ = ["ClusterInUse", "EmbeddedError", "addressed", "cluster", "running", "serving"]

PORT_ATTEMPTS = 3
logger = logging.getLogger("dtsen.embedded")


@contextmanager
def cluster(settings: Settings, *, attach: bool = False) -> Iterator[DatabaseUrls]:
    """The database's URLs, for as long as the block lasts; what was started for it is stopped.

    With `attach`, a cluster that another command runs is used, and waited for while it starts.

    Raises:
        ClusterInUse: another process runs it (and `attach` was not asked for).
        EmbeddedError: it cannot start; why, and what to do.
    """
    given = settings.database_urls
    if given is not None:
        yield given
        return
    if attach and (found := running(settings)) is not None:
        yield found
        return
    place = Place(settings.home, settings.pghome)
    chosen = "pghome" in settings.model_fields_set
    who = account(settings.pguser)
    if SYSTEM_PGHOME in place.pghome.parents and not chosen:
        logger.warning(
            "PostgreSQL lives in %s: %s, whom it runs as, cannot enter %s",
            *(place.pghome, who.name, place.home.parent),
        )
    prepare(place, who)
    with ExitStack() as stack:
        found = _hold_or_attach(stack, settings, place, attach=attach)
        if found is None:
            programs = install(place.pghome)
            if place.data.exists() and not place.logins.exists() and not chosen:
                check_data(place, who, programs)
                _set_aside(place)
            found = stack.enter_context(serving(place, who, programs))
        yield found


def _hold_or_attach(
    stack: ExitStack, settings: Settings, place: Place, *, attach: bool
) -> DatabaseUrls | None:
    """Hold the lock (None), or return the URLs of whoever holds it."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            stack.enter_context(hold(place))
        except ClusterInUse:
            if not attach or time.monotonic() > deadline:
                raise
        else:
            return None
        if (found := running(settings)) is not None:
            return found
        time.sleep(0.05)  # Another process is starting it; it sends no news.


def _set_aside(place: Place) -> None:
    """Give way to a new cluster if DTSEN_HOME was made anew, so that the old one has no passwords.

    Only where nobody chose PGHOME: there, a clone removed and made again means a fresh start.
    """
    logger.warning(
        "%s holds no passwords for the cluster in %s; a new one is made and the old kept as %s",
        *(place.home, place.pghome, set_aside(place)),
    )


@contextmanager
def serving(place: Place, account: Account, programs: Path) -> Iterator[DatabaseUrls]:
    """Run the cluster of a place, made first if there is none, with programs of a folder.

    The caller holds the lock, or knows that nobody else comes.

    Raises:
        EmbeddedError: it cannot start; why, and what to do.
    """
    prepare(place, account)
    logins = read_logins(place.logins)
    if place.data.exists():
        check_data(place, account, programs)
        if logins is None:
            raise EmbeddedError(
                f"the passwords of the cluster in {place.data} are gone from {place.logins}; "
                "restore that file, or set DTSEN_PGHOME to another folder"
            )
    else:
        logins = logins or new_logins(free_port())
        write_logins(place.logins, logins)
        initialize(place, account, programs, logins.superuser)
    server, logins = _start(place, account, programs, logins)
    try:
        ensure_roles(logins)
        yield logins.urls
    finally:
        server.stop()


def _start(place: Place, account: Account, programs: Path, logins: Logins) -> tuple[Server, Logins]:
    """Start on the port remembered, or on another one if it is taken, and remember that."""
    for attempt in range(1, PORT_ATTEMPTS + 1):
        logins = logins.listening_on(free_port(logins.port))
        write_logins(place.logins, logins)
        write_configuration(place, logins.port)
        server = Server(place, account, programs)
        try:
            server.start_and_wait(logins)
        except EmbeddedError:
            server.stop()
            if attempt == PORT_ATTEMPTS or free_port(logins.port) == logins.port:
                raise
        except BaseException:
            server.stop()
            raise
        else:
            return server, logins
    raise AssertionError


def addressed(settings: Settings) -> DatabaseUrls | None:
    """The URLs of the server configured, or of the embedded one as it was last started.

    Raises:
        EmbeddedError: its passwords are another user's.
    """
    if settings.database_urls is not None:
        return settings.database_urls
    logins = read_logins(Place(settings.home, settings.pghome).logins)
    return None if logins is None else logins.urls


def running(settings: Settings) -> DatabaseUrls | None:
    """The URLs of the server configured, or of the embedded one if it runs and answers.

    Raises:
        EmbeddedError: its passwords are another user's.
    """
    if settings.database_urls is not None:
        return settings.database_urls
    logins = read_logins(Place(settings.home, settings.pghome).logins)
    return logins.urls if logins is not None and answers(logins) else None
