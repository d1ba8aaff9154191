import json

import pytest
import typer
from typer.testing import CliRunner

from cli.synth import synth
from dtsen.releases.manifest import read_manifest
from dtsen.releases.synth import figures

app = typer.Typer()
app.command()(synth)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_writes_the_releases_and_prints_measured_beside_expected(tmp_path):
    result = run(tmp_path, "--families", 400, "--releases", "2026-Q1,2026-Q2")
    assert result.exit_code == 0
    assert "People in a family" in result.stdout
    assert "3.0400" in result.stdout
    assert read_manifest(tmp_path / "2026-Q2").release == "2026-Q2"


def test_json_holds_every_figure_and_the_rows_of_each_file(tmp_path):
    options = ("--families", 400, "--releases", "2026-Q2", "--format", "csv", "--json")
    result = run(tmp_path, *options)
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["hold"] is True
    assert {figure["code"] for figure in printed["figures"]} == figures.STATE.keys()
    entries = read_manifest(tmp_path / "2026-Q2").entries()
    assert printed["rows"]["2026-Q2"] == {file: entry.rows for file, (_, entry) in entries.items()}
    assert {name for name, _ in entries.values()} == {f"{file}.csv" for file in entries}


def test_a_figure_out_of_tolerance_is_exit_code_1(tmp_path, monkeypatch):
    other = figures.Expected("People in a family", 4.0, 0.04, "planted", 1.5)
    monkeypatch.setitem(figures.STATE, "family_size", other)
    result = run(tmp_path, "--families", 400, "--releases", "2026-Q2")
    assert result.exit_code == 1
    assert "OUT" in result.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("--releases", "2026-Q2,2026-Q4"),
        ("--releases", "Q2"),
        ("--families", "20000000"),
        ("--families", "0"),
    ],
)
def test_what_cannot_be_written_is_exit_code_2_and_leaves_nothing(tmp_path, wrong):
    result = run(tmp_path / "out", *wrong)
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_release_that_is_there_already_is_exit_code_2(tmp_path):
    run(tmp_path, "--families", 60, "--releases", "2026-Q2")
    assert run(tmp_path, "--families", 60, "--releases", "2026-Q2").exit_code == 2
