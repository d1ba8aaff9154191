"""`dtsen release`: what an operator sees, and the exit codes that scripts rely on."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from cli.context import settings
from cli.release import app
from dtsen.database import connect, migrate
from dtsen.keys import Keyring
from tests.dtsen.releases.folders import family, member, nik, rows, write
from tests.postgres import embedded_18, open_folder


@pytest.fixture(scope="module")
def database():
    """A server of its own: others' releases would be listed, and theirs put out of force."""
    with open_folder() as folder, embedded_18(folder) as urls:
        migrate(urls)
        yield urls


@pytest.fixture
def dtsen(database, monkeypatch, tmp_path):
    """Run `dtsen release ...` on a server."""
    monkeypatch.setenv("DTSEN_DATABASE_URL", database.api)
    monkeypatch.setenv("DTSEN_OWNER_DATABASE_URL", database.owner)
    monkeypatch.setenv("DTSEN_SEQUENCER_DATABASE_URL", database.sequencer)
    monkeypatch.setenv("DTSEN_AUDITOR_DATABASE_URL", database.auditor)
    monkeypatch.setenv("DTSEN_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    Keyring(settings().key_directory).ensure(datetime.now(UTC))

    def run(*arguments, **options):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)

    yield run
    settings.cache_clear()


def kept(dtsen):
    return {
        release["id"]: "in_force" if release["in_force"] else release["state"]
        for release in json.loads(dtsen("list", "--json").stdout)
        if release["state"] != "destroyed"
    }


def test_a_release_is_loaded_activated_rolled_back_compared_and_destroyed(
    dtsen, database, tmp_path
):
    for release, decile in (("2031-Q1", "3"), ("2031-Q2", "5")):
        contents = rows(keluarga=[family(1, desil_nasional=decile)], anggota=[member(1)])
        folder = write(tmp_path / release, contents, release=release)
        result = dtsen("load", folder)
        assert result.exit_code == 0, result.output
        assert f"{release} is ready: 1 keluarga, 1 anggota, 1 dtks, 1 perubahan" in result.stdout
        assert dtsen("activate", release).stdout == f"{release} is in force\n"
    assert kept(dtsen) == {"2031-Q1": "ready", "2031-Q2": "in_force"}
    assert "2031-Q2" in dtsen("list").stdout
    found = json.loads(dtsen("diff", "2031-Q1", "2031-Q2", "--json").stdout)
    assert found["deciles"] == [[3, 5, 1]]
    assert "keluarga.desil_nasional" in dtsen("diff", "2031-Q1", "2031-Q2").stdout
    assert dtsen("destroy", "2031-Q2", "--yes").exit_code == 1
    assert dtsen("rollback").stdout == "2031-Q1 is in force\n"
    assert dtsen("rollback").exit_code == 1
    assert dtsen("destroy", "2031-Q2", input="n\n").exit_code == 1
    assert kept(dtsen) == {"2031-Q1": "in_force", "2031-Q2": "ready"}
    assert json.loads(dtsen("destroy", "2031-Q2", "--yes", "--json").stdout) == {
        "release": "2031-Q2",
        "state": "destroyed",
    }
    assert kept(dtsen) == {"2031-Q1": "in_force"}
    assert recorded(database)[-8:] == [
        ("release.load", "done", "2031-Q1"),
        ("release.activate", "done", "2031-Q1"),
        ("release.load", "done", "2031-Q2"),
        ("release.activate", "done", "2031-Q2"),
        ("release.destroy", "refused", "2031-Q2"),
        ("release.rollback", "done", "2031-Q1"),
        ("release.rollback", "refused", None),
        ("release.destroy", "done", "2031-Q2"),
    ]


def recorded(database):
    """What the log says of administrative acts, in order."""
    with connect(database.owner) as connection:
        return connection.execute(
            "SELECT op, outcome, release FROM audit.record ORDER BY recorded_at"
        ).fetchall()


def test_a_refused_folder_is_explained_by_row_and_nothing_of_it_is_shown(dtsen, tmp_path):
    contents = rows(anggota=[member(1), member(2, tanggal_lahir="besok"), member(2)])
    folder = write(tmp_path, contents, release="2032-Q1")
    result = dtsen("load", folder)
    assert result.exit_code == 1
    assert "nothing was loaded" in result.stderr
    for word in ("anggota.csv", "tanggal_lahir", "not-a-date", "duplicate-nik"):
        assert word in result.stdout
    result = dtsen("load", folder, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line for line in lines if line["kind"] == "fault"] == [
        {"kind": "fault", "file": "anggota.csv", "row": 2, "column": "tanggal_lahir",
         "code": "not-a-date"},
        {"kind": "fault", "file": "anggota.csv", "row": 3, "column": "nomor_induk_kependudukan",
         "code": "duplicate-nik"},
    ]  # fmt: skip
    assert [line["count"] for line in lines if line["kind"] == "faults"] == [1, 1]
    assert nik(2) not in result.output
    assert "2032-Q1" not in kept(dtsen)


def test_json_counts_oddities_and_says_what_was_loaded(dtsen, tmp_path):
    contents = rows(anggota=[member(1, jenis_kelamin="2")])
    result = dtsen("load", write(tmp_path, contents, release="2033-Q1"), "--json")
    assert result.exit_code == 0
    odd, loaded = [json.loads(line) for line in result.stdout.splitlines()]
    assert odd == {
        "kind": "warnings",
        "file": "anggota.csv",
        "column": "nomor_induk_kependudukan",
        "code": "nik-sex-differs",
        "count": 1,
    }
    assert loaded["kind"] == "loaded"
    assert loaded["release"] == "2033-Q1"
    assert loaded["records"]["anggota"] == 1
    again = dtsen("load", tmp_path)
    assert again.exit_code == 1
    assert "destroy it before" in again.stderr


@pytest.mark.parametrize("arguments", [("activate", "1999-Q1"), ("diff", "1999-Q1", "1999-Q2")])
def test_an_unknown_release_is_exit_code_1(dtsen, arguments):
    result = dtsen(*arguments)
    assert result.exit_code == 1
    assert "there is no release 1999-Q1" in result.stderr
