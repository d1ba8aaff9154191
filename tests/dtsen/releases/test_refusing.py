"""What refuses a release: each code with its row and column; and oddities, which only count."""

import re
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dtsen.database import connect
from dtsen.releases.listing import every_release
from dtsen.releases.load import load
from dtsen.releases.refusals import ReleaseRefused
from dtsen.releases.report import LISTED, Count, Fault
from tests.dtsen.releases.folders import (
    change,
    csv_bytes,
    family,
    id_dtks,
    kk,
    link,
    member,
    nik,
    parquet_bytes,
    rows,
    write,
)


def silent(_step, _done, _total):
    pass


def refused(urls, folder):
    """The report of a load that is refused and leaves nothing."""
    with pytest.raises(ReleaseRefused) as raised:
        load(urls, folder, silent)
    with connect(urls.owner) as connection:
        assert every_release(connection) == []
    return raised.value.report


MAKE = {"keluarga": family, "anggota": member, "dtks": link, "perubahan": change}
NIK, KK = "nomor_induk_kependudukan", "nomor_kartu_keluarga"
FAULTY = (
    ("keluarga", KK, "x", "malformed-kk"),
    ("keluarga", KK, "", "missing-value"),
    ("keluarga", KK, kk(1), "duplicate-kk"),
    ("keluarga", "desil_nasional", "11", "decile-out-of-range"),
    ("keluarga", "desil_provinsi", "0", "decile-out-of-range"),
    ("keluarga", "desil_kabupaten_kota", "rendah", "not-a-number"),
    ("keluarga", "luas_lantai", "1000", "number-out-of-range"),
    ("keluarga", "luas_lantai", "-1", "number-out-of-range"),
    ("keluarga", "luas_lantai", "36.5", "not-a-number"),
    ("keluarga", "pbi_nas", "T", "not-yes-no"),
    ("keluarga", "alamat", "a" * 501, "text-too-long"),
    ("keluarga", "alamat", "a\0b", "forbidden-character"),
    ("anggota", NIK, nik(3)[:15], "malformed-nik"),
    ("anggota", NIK, "0" * 16, "malformed-nik"),
    ("anggota", NIK, None, "missing-value"),
    ("anggota", NIK, f" {nik(2)}.0", "duplicate-nik"),
    ("anggota", KK, "123", "malformed-kk"),
    ("anggota", "tanggal_lahir", "1990-02-30", "not-a-date"),
    ("anggota", "tanggal_lahir", "17/05/1990", "not-a-date"),
    ("anggota", "jumlah_usaha", "9" * 10, "number-out-of-range"),
    ("dtks", "id_dtks", "12", "malformed-id-dtks"),
    ("dtks", "id_art_dtks", id_dtks(3), "malformed-id-art-dtks"),
    ("dtks", "idsemesta", "é", "malformed-idsemesta"),
    ("dtks", "replaced_by", "é", "malformed-legacy-id"),
    ("dtks", "state", "lost", "unknown-state"),
    ("dtks", "state", "", "missing-value"),
    ("dtks", "score", "1.5", "number-out-of-range"),
    ("dtks", "score", "nan", "not-a-number"),
    ("dtks", "linked_on", None, "missing-value"),
    ("perubahan", "subject", "orang", "unknown-state"),
    ("perubahan", "id", "1", "malformed-subject-id"),
    ("perubahan", "id", nik(3)[:15], "malformed-nik"),
    ("perubahan", "record_state", "dead", "unknown-state"),
    ("perubahan", "update_state", "done", "unknown-state"),
    ("perubahan", "hold", "none", "unknown-state"),
    ("perubahan", "channel", "pos", "unknown-state"),
    ("perubahan", "since", "", "missing-value"),
)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("case", range(len(FAULTY)))
def test_a_faulty_cell_is_named_by_row_column_and_code(urls18, tmp_path, suffix, case):
    file, column, written, code = FAULTY[case]
    make = MAKE[file]
    listed = [make(1), make(2), make(3, **{column: written})]
    report = refused(urls18, write(tmp_path, rows(**{file: listed}), suffix=suffix))
    assert list(report.faults()) == [Fault(f"{file}.{suffix}", 3, column, code)]


def test_bytes_that_are_no_utf8_are_named_by_row(urls18, tmp_path):
    content = csv_bytes("anggota", [member(1), member(2, nama="NAMA"), member(3)])
    contents = rows(anggota=content.replace(b"NAMA", b"N\xffMA"))
    report = refused(urls18, write(tmp_path, contents, counts={"anggota": 3}))
    assert list(report.faults()) == [Fault("anggota.csv", 2, "nama", "bad-utf8")]


def test_rows_after_a_broken_record_keep_their_numbers(urls18, tmp_path):
    lines = csv_bytes("anggota", [member(n) for n in range(1, 7)]).splitlines(keepends=True)
    lines[2] = b"only,three,cells\n"
    lines[4] = lines[4].rstrip() + b",one,more\n"
    lines[6] = lines[6].replace(nik(6).encode(), b"x")
    content = b"".join([*lines[:5], b"\n", *lines[5:]])  # a blank line is no record
    report = refused(urls18, write(tmp_path, rows(anggota=content), counts={"anggota": 6}))
    assert list(report.faults()) == [
        Fault("anggota.csv", 2, None, "wrong-number-of-cells"),
        Fault("anggota.csv", 4, None, "wrong-number-of-cells"),
        Fault("anggota.csv", 6, "nomor_induk_kependudukan", "malformed-nik"),
    ]


def test_a_repeated_key_is_named_wherever_it_comes_again(urls18, tmp_path):
    contents = rows(anggota=[member(1), member(2), member(1), member(3), member(1), member(3)])
    report = refused(urls18, write(tmp_path, contents))
    assert [fault.row for fault in report.faults()] == [3, 5, 6]
    assert {fault.code for fault in report.faults()} == {"duplicate-nik"}


def test_every_file_is_reported_on_and_every_fault_counted(urls18, tmp_path):
    many = [member(n, tanggal_lahir="besok") for n in range(1, LISTED + 501)]
    contents = rows(keluarga=[family(1, pbi_nas="T")], anggota=many, dtks=[link(1, state="x")])
    report = refused(urls18, write(tmp_path, contents))
    listed = list(report.faults())
    assert [fault.row for fault in listed if fault.file == "anggota.csv"] == [*range(1, LISTED + 1)]
    assert report.counts() == [
        Count("anggota.csv", "tanggal_lahir", "not-a-date", LISTED + 500),
        Count("dtks.csv", "state", "unknown-state", 1),
        Count("keluarga.csv", "pbi_nas", "not-yes-no", 1),
    ]


def test_no_fault_holds_what_stood_in_the_cell(urls18, tmp_path):
    contents = rows(anggota=[member(1, nama="Rahasia" * 100, tanggal_lahir="rahasia")])
    report = refused(urls18, write(tmp_path, contents))
    assert len(list(report.faults())) == 2
    assert "rahasia" not in repr([*report.faults(), *report.counts()]).lower()


def test_columns_are_missing_unknown_or_there_twice(urls18, tmp_path):
    content = csv_bytes("anggota", [member(1)])
    header, _, rest = content.partition(b"\n")
    header = header.replace(b"jenis_kelamin", b"jenis").replace(b"rw_ktp", b"rt_ktp")
    contents = rows(anggota=header + b"\n" + rest)
    report = refused(urls18, write(tmp_path, contents, counts={"anggota": 1}))
    place = header.split(b",").index(b"jenis") + 1
    assert {(fault.column, fault.code) for fault in report.faults()} >= {
        ("jenis_kelamin", "missing-column"),
        ("rw_ktp", "missing-column"),
        ("rt_ktp", "duplicate-column"),
        (f"#{place}", "unknown-column"),
    }
    assert {fault.row for fault in report.faults()} == {None}


def test_a_file_without_a_header_shows_none_of_its_data(urls18, tmp_path):
    content = csv_bytes("anggota", [member(1)]).partition(b"\n")[2]
    report = refused(urls18, write(tmp_path, rows(anggota=content), counts={"anggota": 1}))
    assert nik(1) not in repr(list(report.faults()))
    assert {fault.code for fault in report.faults()} >= {"missing-column", "unknown-column"}


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00n", b"PAR1 but not really"], ids=["empty", "utf-16", "parquet"]
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_that_is_something_else_is_refused(urls18, tmp_path, content, suffix):
    whole = rows() | {"anggota": content}
    folder = write(tmp_path, {"anggota": whole.pop("anggota"), **whole}, suffix=suffix)
    codes = {fault.code for fault in refused(urls18, folder).faults()}
    assert codes & {"unreadable-file", "missing-column"}


def test_floats_cannot_hold_identity_numbers(urls18, tmp_path):
    table = pq.read_table(pa.BufferReader(parquet_bytes("anggota", [member(1)])))
    place = table.schema.get_field_index("nomor_induk_kependudukan")
    table = table.set_column(place, "nomor_induk_kependudukan", pa.array([float(nik(1))]))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    contents = rows(anggota=sink.getvalue().to_pybytes())
    folder = write(tmp_path, contents, suffix="parquet", counts={"anggota": 1})
    assert list(refused(urls18, folder).faults()) == [
        Fault("anggota.parquet", None, "nomor_induk_kependudukan", "not-text")
    ]


def test_what_is_only_odd_is_counted_and_loaded(urls, tmp_path):
    contents = rows(
        keluarga=[family(1), family(2, nomor_kartu_keluarga=kk(2)[:15], kode_provinsi="77")],
        anggota=[
            member(1, tanggal_lahir="1990-05-18"),
            member(2, jenis_kelamin="2"),
            member(3, of=9),
            member(4, nomor_kartu_keluarga=kk(2)[:15], penyakit_kronis="99"),
            member(5, nomor_kartu_keluarga=None, kode_provinsi_ktp="00"),
        ],
        perubahan=[change(1, reason="bosan")],
    )
    loaded = load(urls, write(tmp_path, contents), silent)
    assert {(w.file, w.column, w.code, w.count) for w in loaded.report.warnings()} == {
        ("keluarga.csv", "nomor_kartu_keluarga", "kk-15-digits", 1),
        ("keluarga.csv", "kode_provinsi", "unknown-wilayah", 1),
        ("anggota.csv", "nomor_induk_kependudukan", "nik-birth-date-differs", 1),
        ("anggota.csv", "nomor_induk_kependudukan", "nik-sex-differs", 1),
        ("anggota.csv", "nomor_kartu_keluarga", "kk-15-digits", 1),
        ("anggota.csv", "nomor_kartu_keluarga", "kk-missing", 1),
        ("anggota.csv", "nomor_kartu_keluarga", "member-without-family", 1),
        ("anggota.csv", "penyakit_kronis", "unknown-code", 1),
        ("anggota.csv", "kode_provinsi_ktp", "unknown-wilayah", 1),
        ("perubahan.csv", "reason", "unknown-reason", 1),
    }
    with connect(urls.owner) as connection:
        (value,) = connection.execute(
            f"SELECT penyakit_kronis FROM registry.individual_{loaded.ordinal}"  # noqa: S608 - an integer
            " WHERE nomor_induk_kependudukan = %s",
            (nik(4),),
        ).fetchone()
    assert value == "99"


def test_every_code_is_explained_to_operators():
    codes = set()
    for module in ("cells", "checking", "cleaning", "manifest", "oddities", "sheet", "sources"):
        text = files("dtsen.releases").joinpath(f"{module}.py").read_text()
        codes |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', text))
    codes -= {"utf-8", "utf-8-sig"}
    assert codes > {code for *_, code in FAULTY}
    guide = Path(__file__).parents[3] / "docs" / "operators" / "releases.md"
    explained = set(re.findall(r"`([a-z0-9-]+)`", guide.read_text()))
    assert codes - explained == set()
