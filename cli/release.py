"""`dtsen release`: load, list, activate, roll back, compare and destroy releases."""

import json as json_text
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.context import database, err, fail, keyring, out, owner, print_json
from dtsen.audit.administration import recorded
from dtsen.database import connect
from dtsen.releases import activate as acts
from dtsen.releases.compare import Comparison, Movement, compare
from dtsen.releases.listing import every_release
from dtsen.releases.load import Loaded, load as load_folder
from dtsen.releases.refusals import ReleaseError, ReleaseRefused
from dtsen.releases.report import LISTED, Report

app = typer.Typer(help="Releases of the registry.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="A release folder (contract 6).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def _told() -> Iterator[None]:
    """End the command with the reason when an act does not take place."""
    try:
        yield
    except ReleaseError as error:
        fail(str(error))


@app.command()
def load(folder: Folder, *, json: Json = False) -> None:
    """Check a release folder and load all of it, or nothing; activation is another step.

    With --json, one object a line: the faults listed, the counts, and the release loaded.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    try:
        with (
            database() as urls,
            Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar,
        ):
            task = bar.add_task("checking", total=None)
            loaded = load_folder(
                urls,
                folder,
                lambda step, done, total: bar.update(
                    task, description=step, completed=done, total=total
                ),
            )
            with (
                connect(urls.owner, autocommit=True) as connection,
                recorded(connection, keyring(), "release.load", ds=loaded.release),
            ):
                pass  # the load's own transactions are over; nothing of it is in force yet
    except ReleaseRefused as error:
        _print_report(error.report, json=json)
        fail(str(error))
    except ReleaseError as error:
        fail(str(error))
    _print_report(loaded.report, json=json)
    _print_loaded(loaded, json=json)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List every release ever loaded."""
    with owner() as connection:
        releases = every_release(connection)
    if json:
        print_json([asdict(release) for release in releases])
        return
    table = Table("release", "state", "people", "families", "cut-off", "published", "loaded")
    for release in releases:
        table.add_row(
            release.id,
            "in force" if release.in_force else release.state,
            f"{release.individuals:,}",
            f"{release.families:,}",
            release.cut_off.isoformat(),
            release.published.isoformat(),
            release.loaded_at.isoformat(timespec="seconds"),
        )
    out.print(table)


@app.command()
def activate(release: str, *, json: Json = False) -> None:
    """Bring a loaded release into force; lookups answer from it at once."""
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "release.activate", ds=release),
    ):
        acts.activate(connection, release)
    _done(release, "in_force", json=json)


@app.command()
def rollback(*, json: Json = False) -> None:
    """Bring the release back into force that was so before the present one."""
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "release.rollback") as deed,
    ):
        deed.clear["ds"] = release = acts.rollback(connection)
    _done(release, "in_force", json=json)


@app.command()
def destroy(
    release: str,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Drop the tables of a release for good. The one in force is refused."""
    if not yes:
        typer.confirm(f"Destroy release {release} for good?", abort=True, err=True)
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "release.destroy", ds=release),
    ):
        acts.destroy(connection, release)
    _done(release, "destroyed", json=json)


@app.command()
def diff(older: str, newer: str, *, json: Json = False) -> None:
    """Count what differs between two loaded releases: people, variables, deciles."""
    with _told(), owner() as connection:
        comparison = compare(connection, older, newer)
    if json:
        print_json(asdict(comparison))
    else:
        _print_comparison(comparison)


def _done(release: str, state: str, *, json: bool) -> None:
    if json:
        print_json({"release": release, "state": state})
    else:
        out.print(f"{release} is {state.replace('_', ' ')}")


def _print_report(report: Report, *, json: bool) -> None:
    """Print where the faults are, and how often each code was found; never a value."""
    counts = [("fault", count) for count in report.counts()]
    counts += [("warning", count) for count in report.warnings()]
    if json:
        for fault in report.faults():
            _line("fault", asdict(fault))
        for kind, count in counts:
            _line(f"{kind}s", asdict(count))
        return
    if report.refused:
        table = Table("file", "row", "column", "code", title=f"at most {LISTED:,} a file")
        for fault in report.faults():
            row = "" if fault.row is None else str(fault.row)
            table.add_row(fault.file, row, fault.column or "", fault.code)
        out.print(table)
    if counts:
        table = Table("", "file", "column", "code", "count")
        for kind, count in counts:
            table.add_row(kind, count.file, count.column or "", count.code, f"{count.count:,}")
        out.print(table)


def _print_loaded(loaded: Loaded, *, json: bool) -> None:
    if json:
        _line("loaded", {"release": loaded.release, "records": loaded.records})
        return
    records = ", ".join(f"{count:,} {file}" for file, count in loaded.records.items())
    out.print(f"{loaded.release} is ready: {records}. Bring it into force with")
    out.print(f"  dtsen release activate {loaded.release}")


def _line(kind: str, members: dict[str, object]) -> None:
    sys.stdout.write(json_text.dumps({"kind": kind, **members}) + "\n")


def _print_comparison(comparison: Comparison) -> None:
    table = Table("", "new", "gone", "kept", title=f"{comparison.older} to {comparison.newer}")
    movements: dict[str, Movement] = {
        "people": comparison.individuals,
        "families": comparison.families,
    }
    for name, movement in movements.items():
        counts = (movement.new, movement.gone, movement.kept)
        table.add_row(name, *(f"{count:,}" for count in counts))
    out.print(table)
    out.print(f"{comparison.moved:,} people moved to another village")
    out.print(f"{comparison.changed_card:,} people stand on another family card")
    changed = Table("variable", "changed")
    for name, count in comparison.changed.items():
        if count:
            changed.add_row(name, f"{count:,}")
    out.print(changed)
    deciles = (*range(1, 11), None)
    people = {(before, after): count for before, after, count in comparison.deciles}
    matrix = Table("", *(str(after or "none") for after in deciles), title="national decile")
    for before in deciles:
        counted = (f"{people.get((before, after), 0):,}" for after in deciles)
        matrix.add_row(str(before or "none"), *counted)
    out.print(matrix)
