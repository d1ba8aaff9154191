"""How many people a change of an agreement concerns, in the release in force."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from dtsen.disclosure.rows import row_filter
from schemas.agreement import Agreement


@dataclass(frozen=True, slots=True)
class Concerned:
    """People within the rows of two versions, those under `hide` left out; read from `release`."""

    release: str
    gained: int
    lost: int
    before: int
    after: int


_IN_FORCE = """
SELECT p.ordinal, r.id FROM registry.pointer p JOIN registry.release r ON r.ordinal = p.ordinal
"""
_COUNT = """
SELECT count(*) FILTER (WHERE {after} AND ({before}) IS NOT TRUE),
    count(*) FILTER (WHERE {before} AND ({after}) IS NOT TRUE),
    count(*) FILTER (WHERE {before}), count(*) FILTER (WHERE {after})
FROM {table} i
LEFT JOIN disclosure.restriction r ON r.nik = i.nomor_induk_kependudukan
WHERE r.kind IS DISTINCT FROM 'hide'
"""


def concerned(
    connection: psycopg.Connection, before: Agreement | None, after: Agreement
) -> Concerned | None:
    """Count them by reading the whole release, minutes for a nation's; None: none is in force."""
    row = connection.execute(_IN_FORCE).fetchone()
    if row is None:
        return None
    ordinal, release = row
    earlier = row_filter(before).person_sql(ordinal) if before else "false"
    statement = sql.SQL(_COUNT).format(
        before=sql.SQL(earlier),
        after=sql.SQL(row_filter(after).person_sql(ordinal)),
        table=sql.Identifier("registry", f"individual_{int(ordinal)}"),
    )
    counts = connection.execute(statement).fetchone()
    if counts is None:
        raise AssertionError("an aggregate gives one row")
    return Concerned(release, *counts)
