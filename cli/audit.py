"""`dtsen audit`: what an auditor, or an agency for its own calls, asks of the access log."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli import mine, reconcile, verify
from cli.calling import ClientFile, calling
from cli.context import out, print_json

app = typer.Typer(help="Search and verify the access log.", no_args_is_help=True)

SEARCH = "/v1/audit/search"
PAGE = 500
COLUMNS = ("recorded_at", "agency", "op", "outcome", "n", "purpose", "officer", "jti")


app.command()(verify.verify)
app.command()(mine.proof)
app.command()(reconcile.reconcile)


@app.command()
def search(  # noqa: PLR0913, PLR0917 - one option for each member of the contract's filter
    client_file: ClientFile,
    subject: Annotated[str | None, typer.Option(help="A NIK; - reads it from input.")] = None,
    family: Annotated[str | None, typer.Option(help="A KK; - reads it from input.")] = None,
    agency: Annotated[str | None, typer.Option(help="Code of an agency.")] = None,
    client: Annotated[str | None, typer.Option(help="Id of a client.")] = None,
    officer: Annotated[str | None, typer.Option(help="The agency's name for an officer.")] = None,
    case_ref: Annotated[str | None, typer.Option(help="The agency's own reference.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Code of a purpose.")] = None,
    legal_basis: Annotated[str | None, typer.Option(help="As an agreement says it.")] = None,
    operation: Annotated[str | None, typer.Option(help="Such as individuals.lookup.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Such as not_found.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="RFC 3339, included.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="RFC 3339, not included.")] = None,
    most: Annotated[int, typer.Option(help="Stop after so many records.", min=1)] = 100,
    *,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search the access log as a client and print what it may see, newest first."""
    nik, kk = (sys.stdin.readline().strip() if one == "-" else one for one in (subject, family))
    wanted = {
        "subject": {"nik": nik} if nik else None,
        "family": {"nomor_kartu_keluarga": kk} if kk else None,
        "agency": agency,
        "client": client,
        "officer": officer,
        "case_ref": case_ref,
        "purpose": purpose,
        "legal_basis": legal_basis,
        "operation": operation,
        "outcome": outcome,
        "from": since,
        "to": until,
    }
    asked = {name: value for name, value in wanted.items() if value is not None}
    found = _pages(client_file, asked, most)
    if json_:
        print_json(found)
    else:
        out.print(_table(found))


def _pages(client_file: Path, asked: dict[str, Any], most: int) -> dict[str, Any]:
    """Records of as many pages as it takes, and until when the log was complete."""
    found: dict[str, Any] = {"records": []}
    with calling(client_file) as agency:
        for page in agency.pages(SEARCH, {**asked, "limit": min(PAGE, most)}):
            found["complete_until"] = page["complete_until"]
            found["records"] += page["records"]
            if len(found["records"]) >= most:
                break
    found["records"] = found["records"][:most]
    return found


def _table(found: dict[str, Any]) -> Table:
    table = Table(*COLUMNS, "subject", title=f"complete until {found['complete_until']}")
    for one in found["records"]:
        subjects = one.get("subject", ())
        more = f" +{len(subjects) - 1}" if len(subjects) > 1 else ""
        shown = one.get("unopenable") or (subjects[0] + more if subjects else "")
        table.add_row(*(str(one.get(name) or "") for name in COLUMNS), shown)
    return table
