"""The rows beside the logs: the index that searches use, what is pending, how far all is complete.

Each question is one statement, and so of one instant, whatever the sequencer does meanwhile.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from dtsen.audit.merging import PACKED
from dtsen.verifier.faults import LogFault

_UNLOGGED = """
SELECT r.id, r.recorded_at FROM audit.record r
WHERE NOT EXISTS (
        SELECT FROM audit.leaf l WHERE (l.recorded_at, l.record) = (r.recorded_at, r.id))
    AND NOT EXISTS (SELECT FROM audit.pending p WHERE (p.recorded_at, p.id) = (r.recorded_at, r.id))
ORDER BY r.recorded_at, r.id LIMIT 1
"""
_PENDING = """
SELECT p.id, p.recorded_at, r.id IS NULL FROM audit.pending p
LEFT JOIN audit.record r ON (r.recorded_at, r.id) = (p.recorded_at, p.id)
WHERE r.id IS NULL OR EXISTS (SELECT FROM audit.leaf l WHERE l.record = p.id)
ORDER BY p.recorded_at, p.id LIMIT 1
"""
_YEARS = """
SELECT what, year FROM (
    SELECT 'audit.tree' AS what, year FROM audit.tree
    UNION ALL (SELECT 'audit.leaf', year FROM audit.leaf
        WHERE year < %(first)s OR year > %(last)s LIMIT 1)
    UNION ALL (SELECT 'audit.tile', year FROM audit.tile
        WHERE year < %(first)s OR year > %(last)s LIMIT 1)
    UNION ALL (SELECT 'audit.checkpoint', year FROM audit.checkpoint
        WHERE year < %(first)s OR year > %(last)s LIMIT 1)
) AS s WHERE year < %(first)s OR year > %(last)s LIMIT 1
"""
_SPAN = "SELECT min(recorded_at), max(recorded_at) FROM audit.record"
_STRAY = """
SELECT record, recorded_at FROM audit.mention
WHERE %(since)s::timestamptz IS NULL OR recorded_at < %(since)s OR recorded_at >= %(until)s LIMIT 1
"""
_MENTIONED = f"""
WITH known AS (
    SELECT r.recorded_at, r.id, {PACKED} AS packed FROM audit.record r
    WHERE r.recorded_at >= %(since)s AND r.recorded_at < %(until)s AND NOT EXISTS (
        SELECT FROM audit.pending p WHERE (p.recorded_at, p.id) = (r.recorded_at, r.id))
), wanted AS (
    SELECT substr(k.packed, 16 * n + 1, 16) AS value, k.recorded_at, k.id AS record
    FROM known k CROSS JOIN LATERAL generate_series(0, length(k.packed) / 16 - 1) AS n
), held AS (
    SELECT m.value, m.recorded_at, m.record FROM audit.mention m
    WHERE m.recorded_at >= %(since)s AND m.recorded_at < %(until)s
)
SELECT record, recorded_at, w.there IS NULL
FROM (SELECT *, true AS there FROM wanted) w
FULL JOIN (SELECT *, true AS there FROM held) h USING (value, recorded_at, record)
WHERE w.there IS NULL OR h.there IS NULL
ORDER BY recorded_at, record LIMIT 1
"""  # noqa: S608 - of our own parts
_PROGRESS = """
SELECT count(*) FILTER (WHERE "only") - count(*) FILTER (WHERE NOT "only"), max(complete_until),
    max(complete_until) > clock_timestamp(),
    (SELECT min(p.recorded_at) FROM audit.pending p) < max(complete_until),
    max(complete_until) < (SELECT l.recorded_at FROM audit.leaf l
        ORDER BY l.year DESC, l.index DESC LIMIT 1) - %s::interval
FROM audit.progress
"""

BEHIND = timedelta(minutes=1)
"""A sequencer that merges moves `complete_until` in the same round, unless a writer holds it up."""

Progress = Callable[[datetime], None]
"""Told each month that is begun."""


def check_beside(
    connection: psycopg.Connection,
    years: tuple[int, int] | None,
    progress: Progress = lambda _: None,
) -> None:
    """Hold the rows beside the logs against the records; `years`: all that have a published log.

    Raises:
        LogFault: a row is missing, too many, or another; the text names its record.
    """
    if years is not None:
        asked = {"first": years[0], "last": years[1]}
        _none(connection, _YEARS, asked, "{0} has rows of a log of {1}, which was not published")
    _none(connection, _UNLOGGED, {}, "record {0} of {1} is in no log and waits for none")
    found = connection.execute(_PENDING).fetchone()
    if found is not None:
        record, at, gone = found
        why = "is gone from audit.record" if gone else "is in a log already"
        raise LogFault(f"record {record} of {at.isoformat()} is pending, but {why}")
    _check_mentions(connection, progress)
    _check_progress(connection)


def _check_mentions(connection: psycopg.Connection, progress: Progress) -> None:
    first, last = connection.execute(_SPAN).fetchone() or (None, None)
    since = until = first and month(first)
    while until is not None and until <= last:
        since, until = until, month(until + timedelta(days=31))
        progress(since)
        found = connection.execute(_MENTIONED, {"since": since, "until": until}).fetchone()
        if found is not None:
            record, at, extra = found
            why = "names a record that does not mention it" if extra else "lacks a row"
            raise LogFault(f"audit.mention {why}: record {record} of {at.isoformat()}")
    asked = {"since": first and month(first), "until": until}
    _none(connection, _STRAY, asked, "audit.mention names record {0} of {1}, which there is not")


def month(instant: datetime) -> datetime:
    """The beginning of an instant's month (UTC)."""
    return instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _check_progress(connection: psycopg.Connection) -> None:
    row = connection.execute(_PROGRESS, (BEHIND,)).fetchone()
    count, until, ahead, waiting, behind = row or (0, None, None, None, None)
    if count != 1:
        raise LogFault("audit.progress has not its one row")
    if ahead or waiting:
        raise LogFault(f"audit.progress says complete until {until.isoformat()}; it is not yet")
    if behind:
        raise LogFault(
            f"audit.progress says complete only until {until.isoformat()}: searches would leave"
            " out what was merged since"
        )


def _none(connection: psycopg.Connection, statement: str, asked: dict[str, Any], said: str) -> None:
    found = connection.execute(statement, asked).fetchone()
    if found is not None:
        words = [one.isoformat() if isinstance(one, datetime) else one for one in found]
        raise LogFault(said.format(*words))
