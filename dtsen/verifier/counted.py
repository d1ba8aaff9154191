"""Holding the answers that a reverse proxy counted against the access log.

The proxy stands apart from whoever keeps the log: an answer that it passed on and that the log does
not hold left unrecorded. Lines are as `deploy/nginx/dtsen.conf` writes them: Unix seconds with
three decimals, status, method, route, record id or `-`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

MARGIN = timedelta(seconds=60)
"""An answer is counted when it has ended, its record is written when it begins. So records of the
last minute are not yet expected among the answers."""

SKEW = timedelta(seconds=5)
"""How far the clocks of proxy and database may be apart."""

LONGEST = timedelta(hours=1)
"""No answer takes longer."""

_LINE = re.compile(
    r"(\d{1,11}\.\d{3}) (\d{3}) ([A-Z]+) (/\S*|-)"
    r" (-|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n?",
    re.ASCII,
)
_RECORDED = ("/v1/", "/dtks/")
_ENTRIES = "/log/{year}/tile/entries"
_GIVEN = 200
_UNKNOWN_CALLER = frozenset({400, 401, 405, 408, 411, 413, 414, 429, 431})
"""Refusals that may come before anybody is known: nothing leaves with them (contract 4)."""
_CUT_OFF = 494
"""From here on: nginx's own words, connections that broke, and outcomes that are not known."""


@dataclass(slots=True)
class Minute:
    """What was counted in a minute."""

    answers: int = 0
    """Answers that carry a record, or had to."""
    records: int = 0
    """Records that an answer carried or was to carry."""
    without_record: int = 0
    without_answer: int = 0


@dataclass(slots=True)
class Counted:
    """What a proxy passed on."""

    first: datetime
    last: datetime
    answers: dict[UUID, datetime] = field(default_factory=dict)
    """When the answer that carries a record had ended."""
    bare: list[datetime] = field(default_factory=list)
    """When answers ended that had to carry a record, and carry none."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides."""

    minutes: Mapping[datetime, Minute]
    """By the minute (UTC) in which an answer ended, or a record was written."""
    missing: list[UUID]
    """Records that an answer names and the log does not hold."""
    unanswered: list[UUID]
    """Records whose answer the proxy did not pass on."""
    bare: int
    """Answers that had to name a record."""


def read_counted(lines: Iterable[str]) -> Counted:
    """What lines of a proxy's log count, in any order.

    Raises:
        ValueError: a line is not as our configuration writes it, or there is none.
    """
    counted: Counted | None = None
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is not as deploy/nginx/dtsen.conf writes it")
        at = datetime.fromtimestamp(float(found[1]), UTC)
        if counted is None:
            counted = Counted(at, at)
        counted.first, counted.last = min(counted.first, at), max(counted.last, at)
        if found[5] != "-":
            counted.answers[UUID(found[5])] = at
        elif _had_to(int(found[2]), found[4]):
            counted.bare.append(at)
    if counted is None:
        raise ValueError("it counts nothing")
    return counted


def compare(counted: Counted, records: Mapping[UUID, datetime]) -> Compared:
    """Hold what was counted against the records that answers carry, with their times."""
    minutes: dict[datetime, Minute] = {}

    def of(at: datetime) -> Minute:
        return minutes.setdefault(at.replace(second=0, microsecond=0), Minute())

    missing = sorted(counted.answers.keys() - records.keys())
    for at in (*counted.answers.values(), *counted.bare):
        of(at).answers += 1
    for at in (*(counted.answers[one] for one in missing), *counted.bare):
        of(at).without_record += 1
    unanswered = []
    for record, at in sorted(records.items()):
        answered = record in counted.answers
        if answered or _expected(counted, at):
            of(at).records += 1
        if not answered and _expected(counted, at):
            of(at).without_answer += 1
            unanswered.append(record)
    return Compared(dict(sorted(minutes.items())), missing, unanswered, len(counted.bare))


def span(counted: Counted) -> tuple[datetime, datetime]:
    """Between which instants the records were written that answers can carry.

    An id holds the time at which its call began (UUIDv7), to the millisecond; ids that were made up
    may hold any.
    """
    earliest = counted.first - LONGEST
    began = min((one.int >> 80 for one in counted.answers), default=0) / 1000
    oldest = min(max(began, earliest.timestamp()), counted.first.timestamp())
    return datetime.fromtimestamp(oldest, UTC) - SKEW, counted.last + SKEW


def _had_to(status: int, route: str) -> bool:
    if route == _ENTRIES:
        return status == _GIVEN
    known = status not in _UNKNOWN_CALLER and status < _CUT_OFF
    return known and route.startswith(_RECORDED)


def _expected(counted: Counted, at: datetime) -> bool:
    """Whether the answer of a record of this time must have ended while the proxy counted."""
    return counted.first <= at <= counted.last - MARGIN
