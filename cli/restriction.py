"""`dtsen restriction`: people whose data are marked, limited or hidden, by two people's act.

A NIK is never an argument: other users of a machine see arguments. It is asked for, or read as one
line from standard input.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from cli.context import fail, keyring, out, owner, print_json
from cli.signing import SignerFile, told, waits
from dtsen.acts import Signer, read_signer
from dtsen.audit.administration import recorded
from dtsen.disclosure import restrictions
from schemas.identifiers import Nik

app = typer.Typer(help="Restrictions of single people.", no_args_is_help=True)


@app.command("set")
def set_(
    kind: Annotated[str, typer.Argument(help="mark, limit or hide.")],
    reason: Annotated[str, typer.Argument(help="Why, by its code: docs/operators/restrictions.md")],
    signer: SignerFile = None,
) -> None:
    """Propose to restrict a person, whose NIK is asked for or read from standard input."""
    person = _signer(signer)
    nik = read_nik()
    with told(), owner() as connection:
        act = restrictions.propose_set(connection, keyring(), person, nik, kind=kind, reason=reason)
    out.print(waits(act), markup=False, highlight=False)


@app.command()
def lift(signer: SignerFile = None) -> None:
    """Propose to lift a restriction; the NIK is asked for or read from standard input."""
    person = _signer(signer)
    nik = read_nik()
    with told(), owner() as connection:
        act = restrictions.propose_lift(connection, keyring(), person, nik)
    out.print(waits(act), markup=False, highlight=False)


@app.command("list")
def list_(
    *,
    niks: Annotated[
        bool, typer.Option(help="Name the people; that they were is recorded.")
    ] = False,
    json: bool = False,
) -> None:
    """List restrictions: how many of each kind and reason, or whom."""
    with owner() as connection:
        found = restrictions.every_restriction(connection)
        if niks:
            with recorded(connection, keyring(), "restriction.list") as deed:
                deed.personal["subject"] = [one.nik for one in found]
    counted = Counter((one.kind, one.reason or "") for one in found)
    lines = (
        [
            {
                "nik": one.nik,
                "kind": one.kind,
                "reason": one.reason or "",
                "since": one.set_at.isoformat(timespec="seconds"),
            }
            for one in found
        ]
        if niks
        else [
            {"kind": kind, "reason": reason, "people": str(count)}
            for (kind, reason), count in sorted(counted.items())
        ]
    )
    if json:
        print_json(lines)
        return
    table = Table(*(lines[0] if lines else ("kind", "reason", "people")))
    for line in lines:
        table.add_row(*line.values())
    out.print(table)


def read_nik() -> str:
    """One NIK, asked for at a terminal or read as a line; what is none ends the command."""
    written = typer.prompt("NIK") if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return TypeAdapter[str](Nik).validate_python(written.strip())
    except ValidationError:
        fail("not a NIK: 16 digits are needed")


def _signer(signer: Path | None) -> Signer:
    if signer is None:
        raise typer.BadParameter("--as is needed: the approver's file of who proposes it")
    with told():
        return read_signer(signer)
