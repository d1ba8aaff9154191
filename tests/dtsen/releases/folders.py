"""Small release folders made by hand: rows as dictionaries, files as CSV or Parquet."""

import csv
import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from dtsen.releases.layout import fields

VERSION = "v3/2026"
REQUIRED = ("keluarga", "anggota", "dtks")


def nik(serial):
    """A man's, born on 17 May 1990."""
    return f"337499170590{serial:04d}"


def kk(serial):
    return f"337499010124{serial:04d}"


def id_dtks(serial):
    return f"3374010999{serial:06d}"


def family(serial, **columns):
    return {
        "kode_provinsi": "33",
        "kode_kabupaten_kota": "3374",
        "kode_kecamatan": "3374010",
        "kode_kelurahan_desa": "3374010999",
        "nomor_kartu_keluarga": kk(serial),
        "nama_anggota_keluarga": "Contoh Sintetis",
        "alamat": "Jalan Rekaan 1",
        "jumlah_anggota_keluarga": "2",
        "desil_nasional": "3",
        "desil_provinsi": "4",
        "pbi_nas": "Ya",
        "kepemilikan_aset": "1",
        "aset_bergerak_mobil": "2",
        "sumber_air_minum_utama": "11",
    } | columns


def member(serial, of=1, **columns):
    return {
        "nomor_induk_kependudukan": nik(serial),
        "nomor_kartu_keluarga": kk(of),
        "nama": f"Orang Rekaan {serial}",
        "tanggal_lahir": "1990-05-17",
        "jenis_kelamin": "1",
        "pbi_nas": "Tidak",
        "kode_kabupaten_kota_ktp": "3374",
        "jumlah_usaha": "0",
        "penyakit_kronis": "1",
    } | columns


def link(serial, **columns):
    return {
        "id_dtks": id_dtks(serial),
        "id_art_dtks": id_dtks(serial) + "01",
        "nomor_induk_kependudukan": nik(serial),
        "nomor_kartu_keluarga": kk(1),
        "state": "linked",
        "source": "dtks-2021",
        "method": "nik",
        "score": "0.75",
        "linked_on": "2025-02-03",
    } | columns


def change(serial, **columns):
    return {"subject": "anggota", "id": nik(serial), "since": "2026-08-01"} | columns


def rows(**files):
    """Two families and three members, one link and one change; or what is given instead."""
    return {
        "keluarga": [family(1), family(2, desil_nasional=None)],
        "anggota": [member(1), member(2), member(3, of=2)],
        "dtks": [link(1)],
        "perubahan": [change(2, record_state="deceased", reason="deceased")],
    } | files


def csv_bytes(file, listed, *, columns=None, end="\n"):
    names = columns or [field.name for field in fields(file, VERSION)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator=end)
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue().encode()


def parquet_bytes(file, listed):
    names = [field.name for field in fields(file, VERSION)]
    table = pa.table({n: pa.array([row.get(n) for row in listed], pa.string()) for n in names})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def write(folder, contents, *, suffix="csv", counts=(), **members):
    """A release folder of rows (lists) or of bytes as they are; `counts` and `members` override."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for file, content in contents.items():
        make = csv_bytes if suffix == "csv" else parquet_bytes
        written = content if isinstance(content, bytes) else make(file, content)
        count = len(content) if isinstance(content, list) else dict(counts).get(file, 0)
        (folder / f"{file}.{suffix}").write_bytes(written)
        digest = hashlib.sha256(written).hexdigest()
        files[f"{file}.{suffix}"] = {"rows": dict(counts).get(file, count), "sha256": digest}
    manifest = {
        "release": "2026-Q3",
        "metadata_version": VERSION,
        "cut_off": "2026-09-17",
        "published": "2026-09-20",
        "files": files,
    } | members
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
