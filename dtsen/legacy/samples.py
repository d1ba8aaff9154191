"""Legacy ids of a synthetic release to show, a few for each outcome.

Found by asking the loaded release in SQL, not by the rules that decide outcomes, so that a call
with them tests those rules. People under restrictions are left out.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dtsen.legacy.identifiers import Identifier
from dtsen.releases.layout import identifier

MOST = 5

# One member id a row, with what its links and the people named by them come to.
_MEMBERS = """
WITH named AS (
    SELECT d.id_dtks, d.id_art_dtks, d.state, d.replaced_by, d.score,
        d.nomor_induk_kependudukan AS nik, i.record_state, i.nomor_kartu_keluarga AS kk
    FROM {dtks} d
    LEFT JOIN {individual} i ON i.nomor_induk_kependudukan = d.nomor_induk_kependudukan
    WHERE NOT EXISTS (
        SELECT FROM disclosure.restriction r WHERE r.nik = d.nomor_induk_kependudukan)
), member AS (
    SELECT n.id_art_dtks AS id, count(*) AS links, count(DISTINCT n.nik) AS niks,
        count(DISTINCT n.nik) FILTER (WHERE n.record_state = 'active') AS living,
        min(n.state) AS state, max(n.state) AS last_state, max(n.replaced_by) AS replaced_by,
        min(n.nik) AS nik
    FROM named n WHERE n.id_art_dtks IS NOT NULL GROUP BY n.id_art_dtks
), household AS (
    SELECT n.id_dtks AS id, bool_and(
            n.state = 'linked' AND n.record_state = 'active' AND n.score IS NULL AND s.links = 1
        ) AS sound, count(DISTINCT n.kk) AS cards
    FROM named n JOIN member s ON s.id = n.id_art_dtks GROUP BY n.id_dtks
)
"""

_SOUND = "m.links = 1 AND m.state = 'linked'"
_CASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "exact": ("id_art_dtks", f"FROM member m WHERE {_SOUND} AND m.living = 1"),
        "unmatched": (
            "id_art_dtks",
            "FROM member m WHERE m.state = 'unmatched' AND m.last_state = 'unmatched'",
        ),
        "deceased": ("id_art_dtks", "FROM member m WHERE m.links = 1 AND m.state = 'deceased'"),
        "out_of_snapshot": (
            "id_art_dtks",
            f"""FROM member m WHERE {_SOUND} AND m.niks = 1 AND NOT EXISTS (
                SELECT FROM named n WHERE n.nik = m.nik AND n.record_state IS NOT NULL)""",
        ),
        "ambiguous": ("id_art_dtks", "FROM member m WHERE m.niks = 2 AND m.living = 2"),
        "split": ("id_dtks", "FROM household m WHERE m.sound AND m.cards > 1"),
        "merged": (
            "id_art_dtks",
            """FROM member m JOIN member t ON t.id = m.replaced_by AND t.nik = m.nik
            WHERE m.links = 1 AND m.state = 'retired'
                AND t.links = 1 AND t.state = 'linked' AND t.living = 1""",
        ),
        "unknown": (
            "id_dtks",
            """FROM (SELECT DISTINCT left(d.id_dtks, 10) || '999999' AS id FROM {dtks} d) m
            WHERE NOT EXISTS (SELECT FROM {dtks} e WHERE e.id_dtks = m.id)""",
        ),
        "invalid_format": (
            "id_dtks",
            "FROM (SELECT DISTINCT left(d.id_dtks, 10) || '123' AS id FROM {dtks} d) m",
        ),
    }
)


def sample(
    connection: psycopg.Connection, ordinal: int
) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Up to five `{scheme, value}` for each outcome.

    Raises:
        LookupError: the release has none for an outcome.
    """
    tables = {
        "dtks": identifier("dtks", ordinal),
        "individual": identifier("anggota", ordinal),
    }
    found = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for outcome, (scheme, condition) in _CASES.items():
            statement = f"{_MEMBERS} SELECT m.id {condition} ORDER BY m.id LIMIT {MOST}"
            rows = cursor.execute(sql.SQL(statement).format(**tables)).fetchall()
            if not rows:
                raise LookupError(f"no sample of outcome {outcome}")
            found[outcome] = [Identifier(scheme, row["id"])._asdict() for row in rows]
    return found
