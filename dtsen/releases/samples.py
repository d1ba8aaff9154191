"""People of a synthetic release to show: a few identifiers for each case that agencies meet.

Found by asking the loaded release, never by a mark in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dtsen.releases.layout import change_table, family_table, individual_table

MOST = 5


class CaseMissing(LookupError):
    """A release too small to have somebody for every case."""


_PEOPLE = """
SELECT i.nomor_induk_kependudukan AS id FROM {individual} i WHERE {condition}
ORDER BY i.nomor_induk_kependudukan LIMIT {most}
"""

_CASES: Mapping[str, str] = {
    "found": "i.record_state = 'active' AND i.keluarga_desil_nasional BETWEEN 1 AND 5"
    " AND i.keluarga_kode_provinsi = '33'",
    "no_decile": "i.record_state = 'active' AND i.nomor_kartu_keluarga IS NOT NULL"
    " AND i.keluarga_desil_nasional IS NULL",
    "above_threshold": "i.record_state = 'active' AND i.keluarga_desil_nasional >= 9",
    "deceased": "i.record_state = 'deceased'",
    "moved": "EXISTS (SELECT FROM {change} c WHERE c.subject = 'anggota'"
    " AND c.id = i.nomor_induk_kependudukan AND c.reason = 'moved')",
    "changed_family_card": "EXISTS (SELECT FROM {change} c WHERE c.subject = 'anggota'"
    " AND c.id = i.nomor_induk_kependudukan AND c.reason = 'new_family_card')",
    "stale_population_data": "i.update_hold = 'population_data_differs'",
    "in_verification": "i.update_state = 'in_verification'",
    "outside_province": "i.record_state = 'active' AND i.keluarga_kode_provinsi <> '33'",
}

_NOT_FOUND = """
SELECT missing.nik AS id
FROM (SELECT left(nomor_induk_kependudukan, 12) || '9999' AS nik FROM {individual}) missing
WHERE NOT EXISTS (SELECT FROM {individual} i WHERE i.nomor_induk_kependudukan = missing.nik)
ORDER BY missing.nik LIMIT {most}
"""

_FAMILIES = """
SELECT f.nomor_kartu_keluarga AS id FROM {family} f
WHERE f.jumlah_anggota_keluarga >= 3 AND f.kode_provinsi = '33' AND f.desil_nasional <= 5
ORDER BY f.nomor_kartu_keluarga LIMIT {most}
"""

_PERSON = """
SELECT i.nama, i.jenis_kelamin, i.pbi_nas, i.tanggal_lahir, i.record_state, i.update_state,
    i.keluarga_desil_nasional, i.keluarga_kode_provinsi
FROM {individual} i WHERE i.nomor_induk_kependudukan = %s
"""


@dataclass(frozen=True, slots=True)
class Samples:
    """Identifiers by case, from one release."""

    release: str
    ordinal: int
    identifiers: Mapping[str, Sequence[str]]


_IN_FORCE = """
SELECT r.ordinal, r.id FROM registry.pointer p JOIN registry.release r ON r.ordinal = p.ordinal
"""


def sample(connection: psycopg.Connection) -> Samples:
    """Identifiers for each case, from the release in force.

    Raises:
        LookupError: no release is in force.
        CaseMissing: a case has nobody.
    """
    row = connection.execute(_IN_FORCE).fetchone()
    if row is None:
        raise LookupError("no release is in force")
    ordinal, release = row
    found = {
        case: _ids(connection, _PEOPLE, ordinal, condition) for case, condition in _CASES.items()
    }
    found["not_found"] = _ids(connection, _NOT_FOUND, ordinal)
    found["family"] = _ids(connection, _FAMILIES, ordinal)
    empty = [case for case, identifiers in found.items() if not identifiers]
    if empty:
        raise CaseMissing(f"nobody in the release for: {', '.join(empty)}")
    return Samples(release, ordinal, found)


_LAST = """
SELECT i.nomor_induk_kependudukan AS id FROM {individual} i WHERE {condition}
ORDER BY i.nomor_induk_kependudukan DESC LIMIT {most}
"""


def last_found(connection: psycopg.Connection) -> list[str]:
    """NIKs of people like those of `found`, from the other end of the release in force.

    Raises:
        LookupError: no release is in force.
    """
    row = connection.execute(_IN_FORCE).fetchone()
    if row is None:
        raise LookupError("no release is in force")
    return list(_ids(connection, _LAST, row[0], _CASES["found"]))


def person(connection: psycopg.Connection, ordinal: int, nik: str) -> dict[str, object]:
    """A few variables of one person, as they stand in the release's table."""
    statement = _composed(_PERSON, ordinal)
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement, (nik,)).fetchone()
    if row is None:
        raise LookupError("no such person in the release")
    return row


def _ids(
    connection: psycopg.Connection, text: str, ordinal: int, condition: str | None = None
) -> list[str]:
    filled = text if condition is None else text.replace("{condition}", condition)
    return [row[0] for row in connection.execute(_composed(filled, ordinal)).fetchall()]


def _composed(text: str, ordinal: int) -> sql.Composed:
    return sql.SQL(text).format(
        individual=sql.SQL(individual_table(ordinal)),
        family=sql.SQL(family_table(ordinal)),
        change=sql.SQL(change_table(ordinal)),
        most=sql.Literal(MOST),
    )
