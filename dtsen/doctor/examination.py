"""The checks in order. One function a check; each says nothing, or what is wrong.

A check that cannot be made is a finding too: it never passes silently.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import psycopg

from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, connect
from dtsen.doctor import database, house
from dtsen.doctor.trouble import Trouble
from dtsen.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check; `trouble` is None where all is well."""

    check: str
    trouble: str | None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    settings: Settings
    urls: DatabaseUrls


HouseCheck = Callable[[Settings, datetime], Iterator[Trouble]]
DatabaseCheck = Callable[[psycopg.Connection, DatabaseUrls], Iterator[Trouble]]

HOUSE: Sequence[tuple[str, HouseCheck]] = (
    ("keys of this month and the next", house.keys),
    ("files that others may read", house.modes),
    ("disk space", house.disk),
    ("keys of our own", house.sandbox_keys),
)

DATABASE: Sequence[tuple[str, DatabaseCheck]] = (
    ("PostgreSQL version", database.version),
    ("durable commits", database.durability),
    ("no parameters in the server log", database.logging),
    ("schema is current", database.schema),
    ("rights of the API login", database.rights),
    ("the log only grows", database.only_grows),
    ("logins are no members of another", database.members),
    ("partitions of this month and the next", database.partitions),
    ("a release is in force", database.release),
    ("clock agrees with the database", database.clock),
    ("the log is indexed", database.sequencer),
    ("agreements in force", database.agreements),
    ("clients that end", database.clients),
    ("commits wait for a standby", database.replication),
)

OF_PRODUCTION: Sequence[tuple[str, DatabaseCheck]] = (("bound tokens", database.bindings),)
"""What only a sandbox may do."""

PRODUCTION = frozenset(
    {
        "bound tokens",
        "durable commits",
        "no parameters in the server log",
        "rights of the API login",
        "the log only grows",
        "files that others may read",
        "keys of our own",
    }
)
"""Checks without which a production server refuses to start (contract 2)."""


def examine(patient: Patient) -> Iterator[Finding]:
    """Make every check, in order."""
    now = Clock().now()
    for name, check in HOUSE:
        yield from _found(name, partial(check, patient.settings, now))
    try:
        with connect(patient.urls.owner, autocommit=True) as connection:
            yield Finding("the database answers", None)
            more = OF_PRODUCTION if patient.settings.profile == "production" else ()
            for name, examination in (*DATABASE, *more):
                yield from _found(name, partial(examination, connection, patient.urls))
    except psycopg.OperationalError:
        yield Finding(
            "the database answers",
            "the owner's login cannot connect",
            "start it (`make run`), or mend DTSEN_OWNER_DATABASE_URL",
        )


def unfit_for_production(patient: Patient) -> list[Finding]:
    """Findings that a production server refuses to start with."""
    return [
        finding
        for finding in examine(patient)
        if finding.trouble and (finding.check in PRODUCTION or finding.check.startswith("the data"))
    ]


def _found(name: str, run: Callable[[], Iterator[Trouble]]) -> Iterator[Finding]:
    try:
        troubles = list(run())
    except (psycopg.Error, OSError, LookupError) as error:
        yield Finding(
            name, f"could not be checked: {type(error).__name__}", "see the message above"
        )
        return
    if not troubles:
        yield Finding(name, None)
    for trouble in troubles:
        yield Finding(name, trouble.what, trouble.remedy)
