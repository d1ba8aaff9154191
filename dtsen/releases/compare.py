"""What differs between two releases, in counts: a report before activation.

Two joins in the database, one of people and one of families; no row leaves it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import psycopg
from psycopg import sql

from dtsen.releases import layout
from dtsen.releases.layout import FAMILY_KEY, MEMBER_KEY, File
from dtsen.releases.listing import ListedRelease, kept_releases
from dtsen.releases.refusals import UnknownRelease

_SESSION = "SET LOCAL work_mem = '256MB'"
_COUNTS = "SELECT count(*), {changes} FROM {older} a JOIN {newer} b ON a.{key} = b.{key}"
_CHANGE = "count(*) FILTER (WHERE a.{column} IS DISTINCT FROM b.{column})"
_DECILES = """
SELECT a.keluarga_desil_nasional, b.keluarga_desil_nasional, count(*)
FROM {older} a JOIN {newer} b ON a.{key} = b.{key} GROUP BY 1, 2 ORDER BY 1, 2
"""
_HOME = "keluarga_kode_kelurahan_desa"


@dataclass(frozen=True, slots=True)
class Movement:
    """How many of a kind came, went and stayed between two releases."""

    new: int
    gone: int
    kept: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from `older` to `newer`.

    Of the people kept, `moved` live in another village and `changed_card` stand on another family
    card. `changed` counts, for each variable of both, the people or families kept whose value
    differs. `deciles` counts the people kept by national decile before and after (None: none).
    """

    older: str
    newer: str
    individuals: Movement
    families: Movement
    moved: int
    changed_card: int
    changed: Mapping[str, int]
    deciles: Sequence[tuple[int | None, int | None, int]]


def compare(connection: psycopg.Connection, older: str, newer: str) -> Comparison:
    """Compare two releases.

    Raises:
        UnknownRelease: one of them is not ready.
    """
    kept = {release.id: release for release in kept_releases(connection)}
    for release in (older, newer):
        if release not in kept:
            raise UnknownRelease(release)
    pair = kept[older], kept[newer]
    with connection.transaction():
        connection.execute(_SESSION)
        people, changed_people = _changes(connection, "anggota", pair, (_HOME,))
        families, changed_families = _changes(connection, "keluarga", pair, ())
        deciles = connection.execute(_joined(_DECILES, "anggota", pair)).fetchall()
    moved = changed_people.pop(_HOME)
    return Comparison(
        older,
        newer,
        Movement(pair[1].individuals - people, pair[0].individuals - people, people),
        Movement(pair[1].families - families, pair[0].families - families, families),
        moved,
        changed_people[FAMILY_KEY],
        dict(
            chain(
                ((f"keluarga.{name}", count) for name, count in changed_families.items()),
                ((f"anggota.{name}", count) for name, count in changed_people.items()),
            )
        ),
        deciles,
    )


def _changes(
    connection: psycopg.Connection,
    file: File,
    pair: tuple[ListedRelease, ListedRelease],
    further: Sequence[str],
) -> tuple[int, dict[str, int]]:
    """Count the rows of both, and among them those that differ in each variable of both."""
    older, newer = ([field.name for field in layout.fields(file, r.metadata_version)] for r in pair)
    names = [name for name in older if name in newer] + [*further]
    changes = sql.SQL(", ").join(
        sql.SQL(_CHANGE).format(column=sql.Identifier(name)) for name in names
    )
    row = connection.execute(_joined(_COUNTS, file, pair, changes=changes)).fetchone() or ()
    return row[0], dict(zip(names, row[1:], strict=True))


def _joined(
    text: str,
    file: File,
    pair: tuple[ListedRelease, ListedRelease],
    **parts: sql.Composable,
) -> sql.Composed:
    key = FAMILY_KEY if file == "keluarga" else MEMBER_KEY
    return sql.SQL(text).format(
        older=layout.identifier(file, pair[0].ordinal),
        newer=layout.identifier(file, pair[1].ordinal),
        key=sql.Identifier(key),
        **parts,
    )
