"""`dtsen agreement diff`: exit status, words, and people counted in the release in force."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROVINCE = Path(__file__).resolve().parents[2] / "deploy/demo/agreements/province.yaml"


@pytest.fixture
def wider(tmp_path):
    """The province's agreement with one more decile and one more variable group."""
    said = yaml.safe_load(PROVINCE.read_text())
    said["version"] = 2
    said["rows"]["desil_nasional"] = {"max": 6}
    said["purposes"]["VERVAL-DAERAH"]["variables"].append("anggota.status_bekerja")
    file = tmp_path / "wider.yaml"
    file.write_text(yaml.safe_dump(said))
    return file


def diff(sandbox, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "agreement", "diff", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"DTSEN_HOME": str(sandbox.home)},
        check=False,
    )


def count(sandbox, condition):
    with sandbox.owner() as connection:
        ordinal = connection.execute("SELECT ordinal FROM registry.pointer").fetchone()[0]
        return connection.execute(
            f"SELECT count(*) FROM registry.individual_{ordinal} i"  # noqa: S608 - our own words
            " LEFT JOIN disclosure.restriction r ON r.nik = i.nomor_induk_kependudukan"
            " WHERE r.kind IS DISTINCT FROM 'hide'"
            f" AND keluarga_kode_provinsi = '33' AND {condition}"
        ).fetchone()[0]


def test_a_widening_is_told_exactly_and_in_people(sandbox, wider):
    made = diff(sandbox, "PKS-905/2026", wider, "--json")
    assert made.returncode == 3, made.stderr
    told = json.loads(made.stdout)
    assert told["widens"] is True
    people = {change["kind"]: change["people"] for change in told["changes"]}
    assert people == {
        "rows": count(sandbox, "keluarga_desil_nasional = 6"),
        "variable": count(sandbox, "keluarga_desil_nasional <= 6"),
    }
    assert all(people.values())
    rows = next(each for each in told["changes"] if each["kind"] == "rows")
    assert rows["en"] == "a person of desil 6 in 33 becomes visible for VERVAL-DAERAH"


def test_a_narrowing_is_none_and_words_say_both_languages(sandbox, wider):
    made = diff(sandbox, wider, PROVINCE)
    assert made.returncode == 0, made.stderr
    assert "- seseorang desil 6 di 33 tidak lagi terlihat untuk VERVAL-DAERAH" in made.stdout
    assert "a person of desil 6 in 33 is no longer visible for VERVAL-DAERAH" in made.stdout
    assert "people" in made.stdout
    assert diff(sandbox, PROVINCE, PROVINCE, "--no-people").returncode == 0
    assert diff(sandbox, "PKS-000/2026", PROVINCE).returncode == 1
