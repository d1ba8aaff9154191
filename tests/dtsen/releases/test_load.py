"""Loading: what is stored, all or nothing, and what a killed loader leaves."""

import signal
import subprocess
import sys
from datetime import date

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from dtsen.database import connect, login as name_in
from dtsen.releases import layout
from dtsen.releases.activate import activate, destroy
from dtsen.releases.listing import every_release
from dtsen.releases.load import load
from dtsen.releases.refusals import (
    AnotherLoadRuns,
    LoadFailed,
    ReleaseAlreadyKept,
    ReleaseRefused,
)
from dtsen.releases.synth import synthesise
from tests.dtsen.releases.folders import (
    VERSION,
    change,
    csv_bytes,
    family,
    id_dtks,
    kk,
    link,
    member,
    nik,
    rows,
    write,
)


def silent(_step, _done, _total):
    pass


def stored(connection, file, ordinal):
    """Every row of a release's table, in the order of all its columns."""
    statement = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(sql.Identifier(c.name) for c in layout.columns(file, VERSION)),
        layout.identifier(file, ordinal),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement).fetchall()
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def tables(connection):
    listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'registry'"
    return {name for (name,) in connection.execute(listed) if name[-1].isdigit()}


def test_a_release_is_stored_with_the_familys_values_and_the_persons_state(urls, owner, tmp_path):
    contents = rows(
        perubahan=[
            change(2, record_state="deceased", since="2026-08-01"),
            change(
                3, update_state="in_verification", hold="addresses_disagree", since="2026-09-01"
            ),
            change(3, update_state="proposed", since="2026-07-01"),
            {"subject": "keluarga", "id": kk(1), "reason": "moved", "since": "2026-08-09"},
        ]
    )
    loaded = load(urls, write(tmp_path, contents), silent)
    assert loaded.records == {"keluarga": 2, "perubahan": 4, "anggota": 3, "dtks": 1}
    one, two, three = stored(owner, "anggota", loaded.ordinal)
    assert one["nomor_induk_kependudukan"] == nik(1)
    assert one["tanggal_lahir"] == date(1990, 5, 17)
    assert one["jumlah_usaha"] == 0
    assert one["rt_ktp"] is None
    assert one["keluarga_kode_kelurahan_desa"] == "3374010999"
    assert (one["keluarga_desil_nasional"], one["keluarga_desil_provinsi"]) == (3, 4)
    assert (one["record_state"], one["update_state"]) == ("active", None)
    assert two["record_state"] == "deceased"
    assert three["keluarga_desil_nasional"] is None
    assert three["update_state"] == "in_verification"
    assert three["update_hold"] == "addresses_disagree"
    assert three["update_since"] == date(2026, 9, 1)
    (dtks,) = stored(owner, "dtks", loaded.ordinal)
    assert (dtks["id_dtks"], dtks["score"], dtks["idsemesta"]) == (id_dtks(1), 0.75, None)
    assert len(stored(owner, "perubahan", loaded.ordinal)) == 4
    (release,) = every_release(owner)
    assert (release.state, release.individuals, release.families) == ("ready", 3, 2)


def test_tables_are_frozen_analysed_indexed_and_open_to_the_api_alone(urls, owner, tmp_path):
    ordinal = load(urls, write(tmp_path, rows()), silent).ordinal
    for name in ("family", "individual", "dtks", "change"):
        table = f"registry.{name}_{ordinal}"
        seen = owner.execute(
            "SELECT relallvisible > 0, EXISTS (SELECT FROM pg_stats s WHERE s.tablename = relname),"
            " EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')"
            " FROM pg_class c WHERE oid = %s::regclass",
            (table,),
        ).fetchone()
        assert seen == (True, True, name in {"family", "individual"}), table
        for login, may in ((urls.api, True), (urls.sequencer, False), (urls.auditor, False)):
            rights = owner.execute(
                "SELECT has_table_privilege(%(login)s, %(table)s, 'SELECT'),"
                " has_table_privilege(%(login)s, %(table)s, 'INSERT, UPDATE, DELETE, TRUNCATE')",
                {"login": name_in(login), "table": table},
            ).fetchone()
            assert rights == (may, False), (table, name_in(login))
    indexed = owner.execute(
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'registry'"
    ).fetchall()
    keys = {(name.rpartition("_")[0], text.rpartition("(")[2]) for name, text in indexed}
    assert keys >= {
        ("individual", "nomor_induk_kependudukan)"),
        ("individual", "nomor_kartu_keluarga)"),
        ("family", "nomor_kartu_keluarga)"),
        ("change", "id)"),
        ("change", "previous_id)"),
        *{("dtks", f"{name})") for name in ("id_dtks", "id_art_dtks", "idsemesta")},
        ("dtks", "nomor_induk_kependudukan)"),
        ("dtks", "nomor_kartu_keluarga)"),
    }


def test_what_is_refused_leaves_nothing_behind(urls, owner, tmp_path):
    contents = rows(dtks=[link(1), link(2, state="lost")])
    with pytest.raises(ReleaseRefused):
        load(urls, write(tmp_path, contents), silent)
    assert tables(owner) == set()
    assert every_release(owner) == []


def test_a_release_can_go_without_perubahan(urls18, tmp_path):
    contents = rows()
    del contents["perubahan"]
    loaded = load(urls18, write(tmp_path, contents), silent)
    assert loaded.records["perubahan"] == 0
    with connect(urls18.owner) as connection:
        assert {row["record_state"] for row in stored(connection, "anggota", loaded.ordinal)} == {
            "active"
        }


def test_a_kept_id_is_not_loaded_again_until_it_is_destroyed(urls, owner, tmp_path):
    folder = write(tmp_path, rows())
    first = load(urls, folder, silent).ordinal
    with pytest.raises(ReleaseAlreadyKept):
        load(urls, folder, silent)
    destroy(owner, "2026-Q3")
    assert load(urls, folder, silent).ordinal > first
    assert [release.state for release in every_release(owner)] == ["destroyed", "ready"]


def test_a_second_load_waits_its_turn(urls18, tmp_path, monkeypatch):
    monkeypatch.setattr("dtsen.releases.load._SESSION", "SET lock_timeout = '50ms'")
    with connect(urls18.owner, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (0x4454534C,))
        with pytest.raises(AnotherLoadRuns):
            load(urls18, write(tmp_path, rows()), silent)


def test_a_server_that_ends_the_load_leaves_it_to_be_started_again(urls, owner, tmp_path):
    folder = write(tmp_path, rows())

    def end(step, _done, _total):
        if step == "anggota.csv":
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND application_name = 'dtsen-cli'"
            )

    with pytest.raises(LoadFailed) as raised:
        load(urls, folder, end)
    assert nik(1) not in str(raised.value)
    assert raised.value.__cause__ is None
    assert [release.state for release in every_release(owner)] == ["loading"]
    load(urls, folder, silent)
    assert [release.state for release in every_release(owner)] == ["ready"]


def test_words_of_the_database_that_quote_a_row_are_not_repeated(urls, owner, tmp_path):
    def spoil(step, _done, _total):
        if step == "perubahan.csv":  # what no file can do: a row more, in the midst of a load
            (ordinal,) = owner.execute("SELECT max(ordinal) FROM registry.release").fetchone()
            table = layout.identifier("keluarga", ordinal)
            row = (kk(1),)
            copy = "INSERT INTO {} (nomor_kartu_keluarga) VALUES (%s)"
            owner.execute(sql.SQL(copy).format(table), row)
            owner.execute(sql.SQL(copy).format(table), row)

    with pytest.raises(LoadFailed) as raised:
        load(urls, write(tmp_path, rows(keluarga=[family(2)])), spoil)
    assert "UniqueViolation" in str(raised.value)
    assert kk(1) not in str(raised.value)
    assert every_release(owner) == []


MESSY_FAMILY = {
    "nomor_kartu_keluarga": f"  {kk(1)}.0 ",
    "kode_provinsi": "33.0",
    "kode_kecamatan": " 3374010",
    "desil_nasional": "3.0",
    "desil_provinsi": "04",
    "jumlah_anggota_keluarga": "02",
    "pbi_nas": "ya",
    "kepemilikan_aset": "TRUE",
    "aset_bergerak_mobil": "Tidak",
    "sumber_air_minum_utama": "11.0",
    "alamat": "Jalan Rekaan 1  ",
}
MESSY_MEMBER = {
    "nomor_induk_kependudukan": f"{nik(1)}.0",
    "nomor_kartu_keluarga": f" {kk(1)}",
    "jenis_kelamin": "01",
    "pbi_nas": "2",
    "kode_kabupaten_kota_ktp": "33.74",
    "jumlah_usaha": "0.0",
    "penyakit_kronis": "01",
    "nama": ' Orang "Rekaan", 1 ',
    "alamat_ktp": "baris satu\r\nbaris dua\\ tab\t.",
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_messy_csv_is_stored_as_the_clean_parquet_is(urls, owner, tmp_path, end):
    tidy = {"nama": 'Orang "Rekaan", 1', "alamat_ktp": "baris satu\r\nbaris dua\\ tab\t."}
    clean = rows(anggota=[member(1, **tidy), member(2), member(3, of=2)])
    expected = load(urls, write(tmp_path / "clean", clean, suffix="parquet"), silent).ordinal
    messy = rows(
        keluarga=[family(1, **MESSY_FAMILY), family(2, desil_nasional=" ")],
        anggota=[member(1, **MESSY_MEMBER), member(2), member(3, of=2)],
    )
    contents = {
        # A byte order mark, other line ends, a blank line at the end, columns in another order.
        file: b"\xef\xbb\xbf"
        + csv_bytes(file, listed, columns=sorted(listed[0] | dict.fromkeys(_names(file))), end=end)
        + end.encode()
        for file, listed in messy.items()
    }
    counts = {file: len(listed) for file, listed in messy.items()}
    folder = write(tmp_path / "messy", contents, counts=counts, release="2026-Q4")
    found = load(urls, folder, silent).ordinal
    for file in layout.FILES:
        assert stored(owner, file, found) == stored(owner, file, expected), file


def _names(file):
    return [field.name for field in layout.fields(file, VERSION)]


LOADER = """
import sys
from pathlib import Path
from dtsen.database import DatabaseUrls
from dtsen.releases.load import load

def stop_in(step, done, total):
    if step == sys.argv[2] and (step == "index" or 0 < done < total):
        print("there", flush=True)
        sys.stdin.read()

load(DatabaseUrls(*sys.argv[3:]), Path(sys.argv[1]), stop_in)
"""


@pytest.fixture(scope="session")
def population(tmp_path_factory):
    out = tmp_path_factory.mktemp("killed")
    synthesise(out, families=25_000, seed=3, releases=("2026-Q2",))
    return out / "2026-Q2"


@pytest.mark.parametrize("step", ["anggota.parquet", "index"])
def test_a_killed_load_changes_nothing_and_can_be_started_again(
    urls, owner, population, tmp_path, step
):
    load(urls, write(tmp_path, rows()), silent)
    activate(owner, "2026-Q3")
    before = tables(owner)
    arguments = (population, step, urls.owner, urls.api, urls.sequencer, urls.auditor)
    with subprocess.Popen(
        [sys.executable, "-c", LOADER, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as loader:
        assert loader.stdout.readline() == "there\n"
        loader.send_signal(signal.SIGKILL)
    assert [(r.id, r.state, r.in_force) for r in every_release(owner)] == [
        ("2026-Q3", "ready", True),
        ("2026-Q2", "loading", False),
    ]
    again = load(urls, population, silent)
    assert len(tables(owner)) == len(before) + 4
    assert [(r.id, r.state) for r in every_release(owner)] == [
        ("2026-Q3", "ready"),
        ("2026-Q2", "ready"),
    ]
    assert every_release(owner)[1].individuals == again.records["anggota"] > 65_536
