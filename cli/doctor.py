"""`dtsen doctor`: what is wrong with this installation, and what to do."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from cli.context import database, out, print_json, settings
from dtsen.doctor import Patient, examine


def doctor(*, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Examine settings, keys, files and database; exit code 1 when something is wrong."""
    with database() as urls:
        findings = list(examine(Patient(settings(), urls)))
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        table = Table("check", "", "what to do")
        for finding in findings:
            style = "red" if finding.trouble else None
            table.add_row(finding.check, finding.trouble or "ok", finding.remedy or "", style=style)
        out.print(table)
    if any(finding.trouble for finding in findings):
        raise typer.Exit(1)
