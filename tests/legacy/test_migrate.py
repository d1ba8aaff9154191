"""`dtsen legacy migrate`: a column of legacy ids in, people and families out."""

import csv
import json
import stat
import subprocess
import sys

import pyarrow as pa
import pytest
from openpyxl import Workbook, load_workbook
from pyarrow import parquet

from cli.migration import HEADER, Column, Journal, MigrationStopped, translate
from cli.sheets import SheetInvalid, read_column, write_rows
from dtsen.client import opened
from tests.legacy.worlds import household
from tests.parties import Terms, agency

IDS = [household(number) for number in range(1, 6)]
FORMATS = ("csv", "xlsx", "parquet")


def write(path, names, columns):
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([names, *zip(*columns, strict=True)])
    elif path.suffix == ".xlsx":
        book = Workbook()
        for row in [names, *zip(*columns, strict=True)]:
            book.active.append(row)
        book.save(path)
    else:
        parquet.write_table(pa.table(dict(zip(names, columns, strict=True))), path)


def rows_of(path):
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".xlsx":
        rows = load_workbook(path).active.iter_rows(values_only=True)
        header = next(rows)
        return [dict(zip(header, [cell or "" for cell in row], strict=True)) for row in rows]
    return parquet.read_table(path).to_pylist()


def file_of(sandbox, client):
    return sandbox.home / "demo" / "clients" / f"{client}.json"


def migrate(sandbox, client, *arguments):
    command = [sys.executable, "-m", "cli.main", "legacy", "migrate", file_of(sandbox, client)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_comes_back_with_outcome_and_evidence(sandbox, tmp_path, form):
    dtks = sandbox.samples["dtks"]
    asked = [one["value"] for outcome in ("merged", "exact", "ambiguous") for one in dtks[outcome]]
    asked = [asked[0], "", f" {asked[0]} ", *asked[1:], "12"]
    source, target = tmp_path / f"lama.{form}", tmp_path / f"baru.{form}"
    write(source, ["nama", "art"], [["x"] * len(asked), asked])
    done = migrate(
        sandbox,
        "demo-dtks",
        *(source, "--column", "art", "--scheme", "id_art_dtks", "--out", target, "--batch", "4"),
    )
    assert done.returncode == 0, done.stderr
    rows = rows_of(target)
    assert tuple(rows[0]) == HEADER
    by_row = {}
    for row in rows:
        by_row.setdefault(int(row["row"]), []).append(row)
    assert sorted(by_row) == list(range(2, 2 + len(asked)))
    assert by_row[2][0]["outcome"] == "merged"
    assert "use_replacement=" in by_row[2][0]["advice"]
    assert by_row[2][0]["nik"] == by_row[4][0]["nik"] != ""
    assert by_row[3][0]["outcome"] == ""
    assert by_row[2 + len(asked) - 1][0]["outcome"] == "invalid_format"
    ambiguous = [those for those in by_row.values() if those[0]["outcome"] == "ambiguous"]
    assert ambiguous
    assert all(len(those) == int(those[0]["candidates"]) > 1 for those in ambiguous)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, target.name])


def test_a_spent_quota_stops_it_and_keeps_what_was_answered(sandbox, tmp_path):
    source = tmp_path / "lama.csv"
    write(source, ["id"], [IDS])
    terms = Terms(people_per_day=4, variables=("keluarga.kode_provinsi",))
    with agency(sandbox, terms) as small:
        done = migrate(sandbox, small, source, "--batch", "2")
        assert done.returncode == 1
        assert "run the same command again in" in done.stderr.replace("\n", " ")
        journal = tmp_path / "lama-dtsen.csv.journal"
        kept = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [one["value"] for line in kept[1:] for one in line["results"]] == IDS[:4]
        assert not (tmp_path / "lama-dtsen.csv").exists()
    # Another client of ours with a quota goes on where it stopped, and asks the last one alone.
    with agency(sandbox, Terms(people_per_day=1, variables=("keluarga.kode_provinsi",))) as other:
        done = migrate(sandbox, other, source, "--batch", "2")
        assert done.returncode == 0, done.stderr
    assert [row["value"] for row in rows_of(tmp_path / "lama-dtsen.csv")] == IDS


def test_an_interrupted_run_goes_on_and_a_torn_line_is_asked_again(sandbox, tmp_path):
    column, path = Column("id_dtks", IDS), tmp_path / "journal"

    def interrupt(done, _):
        if done == 4:
            raise KeyboardInterrupt

    with opened(sandbox.client("demo-explorer")) as asking:

        def translated(journal, **how):
            return translate(asking, column, journal, purpose=None, batch=2, **how)

        with pytest.raises(KeyboardInterrupt):
            translated(Journal(path, column), progress=interrupt)
        with path.open("a") as file:
            file.write('{"release": "torn')
        journal = Journal(path, column)
        assert [one["value"] for one in journal.results] == IDS[:4]
        rows = list(translated(journal))
    assert [row[2] for row in rows] == IDS
    assert [one["value"] for one in Journal(path, column).results] == IDS


def test_the_journal_of_another_column_is_never_mixed_in(tmp_path):
    Journal(tmp_path / "journal", Column("id_dtks", IDS))
    with pytest.raises(MigrationStopped):
        Journal(tmp_path / "journal", Column("id_art_dtks", IDS))


def test_numbers_that_a_spreadsheet_rounded_are_shown_as_such(tmp_path):
    path = tmp_path / "lama.xlsx"
    write(path, ["id"], [[int(IDS[0]), 12345, None, IDS[1]]])
    assert read_column(path, None) == ["3.30199E+15", "12345", "", IDS[1]]


def test_what_cannot_be_read_is_said(tmp_path):
    path = tmp_path / "lama.csv"
    write(path, ["a", "b"], [["1"], ["2"]])
    for column in (None, "c"):
        with pytest.raises(SheetInvalid):
            read_column(path, column)
    broken = tmp_path / "rusak.xlsx"
    broken.write_bytes(b"no zip")
    with pytest.raises(SheetInvalid):
        read_column(broken, "a")
    with pytest.raises(SheetInvalid):
        write_rows(tmp_path / "baru.ods", ["a"], [])
