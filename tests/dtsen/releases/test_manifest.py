"""The manifest is read strictly, and its promises about the files are checked."""

import json

import pytest

from dtsen.releases.load import load
from dtsen.releases.manifest import read_manifest
from dtsen.releases.refusals import ReleaseRefused
from dtsen.releases.report import Fault
from tests.dtsen.releases.folders import rows, write


def faults(folder):
    with pytest.raises(ReleaseRefused) as raised:
        read_manifest(folder)
    return {(fault.column, fault.code) for fault in raised.value.report.faults()}


def changed(folder, **members):
    written = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(written | members))
    return folder


def test_files_are_given_in_their_order_with_their_counts(tmp_path):
    manifest = read_manifest(write(tmp_path, rows(), next_publication="2026-12-20"))
    assert [(file, name, entry.rows) for file, (name, entry) in manifest.entries().items()] == [
        ("keluarga", "keluarga.csv", 2),
        ("anggota", "anggota.csv", 3),
        ("dtks", "dtks.csv", 1),
        ("perubahan", "perubahan.csv", 1),
    ]
    assert str(manifest.next_publication) == "2026-12-20"


@pytest.mark.parametrize(
    ("members", "column", "code"),
    [
        ({"release": "Q3"}, "release", "malformed-manifest"),
        ({"release": 2026}, "release", "malformed-manifest"),
        ({"cut_off": "17-09-2026"}, "cut_off", "malformed-manifest"),
        ({"published": "2026-09-16"}, "published", "dates-out-of-order"),
        ({"next_publication": "2026-09-20"}, "next_publication", "dates-out-of-order"),
        ({"metadata_version": "v9/2030"}, "metadata_version", "unknown-metadata-version"),
        ({"comment": "x"}, "comment", "malformed-manifest"),
        ({"files": []}, "files", "malformed-manifest"),
    ],
)
def test_what_is_not_as_agreed_is_named(tmp_path, members, column, code):
    assert faults(changed(write(tmp_path, rows()), **members)) == {(column, code)}


@pytest.mark.parametrize(
    "name", ["../anggota.csv", "anggota.txt", "warga.csv", "anggota.parquet", "ANGGOTA.csv"]
)
def test_only_the_files_of_a_release_are_named_once(tmp_path, name):
    folder = write(tmp_path, rows())
    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert faults(changed(folder, files=files | {name: files["anggota.csv"]})) == {
        ("files", "unknown-file")
    }


def test_a_set_that_is_missing_is_named(tmp_path):
    contents = rows()
    del contents["dtks"]
    assert faults(write(tmp_path, contents)) == {(None, "missing-file")}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"release": "2026-Q3", "release": "2026-Q4"}', "\udcff", "NaN"]
)
def test_what_is_no_json_object_is_refused(tmp_path, text):
    folder = write(tmp_path, rows())
    (folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    assert {code for _, code in faults(folder)} == {"malformed-manifest"}


def test_a_doubled_member_is_refused_though_the_last_one_is_right(tmp_path):
    folder = write(tmp_path, rows())
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace("{", '{"release": "2026-Q2", ', 1))
    assert faults(folder) == {(None, "malformed-manifest")}


def test_no_manifest_is_no_release(tmp_path):
    assert faults(tmp_path) == {(None, "missing-file")}


def refused(urls, folder):
    with pytest.raises(ReleaseRefused) as raised:
        load(urls, folder, lambda *_: None)
    return list(raised.value.report.faults())


def test_a_changed_file_is_not_loaded(urls18, tmp_path):
    folder = write(tmp_path, rows())
    content = (folder / "anggota.csv").read_bytes()
    (folder / "anggota.csv").write_bytes(content.replace(b"Rekaan 1", b"Rekaan 9"))
    assert refused(urls18, folder) == [Fault("anggota.csv", None, None, "sha256-differs")]


def test_a_file_that_is_not_there_is_named(urls18, tmp_path):
    folder = write(tmp_path, rows())
    (folder / "dtks.csv").unlink()
    assert refused(urls18, folder) == [Fault("dtks.csv", None, None, "missing-file")]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_of_other_length_than_promised_is_not_loaded(urls18, tmp_path, suffix):
    folder = write(tmp_path, rows(), suffix=suffix, counts={"anggota": 4})
    assert refused(urls18, folder) == [Fault(f"anggota.{suffix}", None, None, "row-count-differs")]
