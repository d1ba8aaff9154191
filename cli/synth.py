"""`dtsen synth`: synthetic releases, with what was measured in them beside the domain notes."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from dtsen.releases.synth import Figure, Figures, synthesise
from dtsen.releases.synth.calendar import ReleasesNotConsecutive
from dtsen.releases.synth.world import TooManyFamilies

_OUT_OF_TOLERANCE = 1


class Format(StrEnum):
    """How the files of a release are written."""

    PARQUET = "parquet"
    CSV = "csv"


def synth(
    out: Annotated[Path, typer.Argument(help="Folder that receives one folder a release.")],
    *,
    families: Annotated[
        int, typer.Option(min=1, help="Families at the beginning; about 3.04 people each.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same data.")] = 1,
    releases: Annotated[
        str, typer.Option(help="Consecutive quarters, oldest first, separated by commas.")
    ] = "2026-Q2,2026-Q3",
    file_format: Annotated[
        Format, typer.Option("--format", help="Of the files in each release.")
    ] = Format.PARQUET,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Write consecutive synthetic releases of one population in the official format.

    Exit code 1: a figure is out of its tolerance; 2: the releases cannot be written as asked.
    """
    try:
        with _progress() as bar:
            task = bar.add_task("families", total=families)
            figures = synthesise(
                out,
                families=families,
                seed=seed,
                releases=releases.split(","),
                file_format=file_format.value,
                progress=lambda done, _all: bar.update(task, completed=done),
            )
    except ReleasesNotConsecutive as error:
        raise typer.BadParameter(
            "consecutive quarters such as 2026-Q2,2026-Q3 are needed, oldest first"
        ) from error
    except TooManyFamilies as error:
        raise typer.BadParameter("so many families would need the same numbers twice") from error
    except FileExistsError as error:
        raise typer.BadParameter(f"{error} is there already; nothing was written") from error
    if as_json:
        typer.echo(json.dumps(_as_json(figures), indent=2))
    else:
        for release in figures.rows:
            Console().print(_table(release, figures))
    if not figures.hold:
        raise typer.Exit(_OUT_OF_TOLERANCE)


def _progress() -> Progress:
    return Progress(
        *Progress.get_default_columns(), TimeElapsedColumn(), console=Console(stderr=True)
    )


def _as_json(figures: Figures) -> dict[str, Any]:
    """The figures and the number of rows of each file."""
    return {
        "hold": figures.hold,
        "rows": {release: dict(rows) for release, rows in figures.rows.items()},
        "figures": [asdict(figure) | {"holds": figure.holds} for figure in figures.figures],
    }


def _table(release: str, figures: Figures) -> Table:
    """Measured beside expected for one release; what is out of tolerance in red."""
    table = Table(title=release, box=SIMPLE_HEAD)
    table.add_column("figure", no_wrap=True)
    for heading in ("measured", "notes", "±"):
        table.add_column(heading, justify="right")
    table.add_column("")
    table.add_column("source")
    for figure in figures.figures:
        if figure.release == release:
            table.add_row(*_cells(figure), style=None if figure.holds else "bold red")
    return table


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{figure.measured:.4f}",
        f"{figure.expected:.4f}",
        f"{figure.tolerance:.4f}",
        "ok" if figure.holds else "OUT",
        figure.source,
    )
