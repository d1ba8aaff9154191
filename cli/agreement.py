"""`dtsen agreement`: validate, apply, revoke, list and show agreements."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.app import create_app
from api.openapi import document
from api.own.document import own_document
from cli.agreement_diff import diff, lines
from cli.agreement_file import File, read_file, text_of
from cli.context import fail, keyring, out, owner, print_json, settings
from cli.signing import SignerFile, told, waits
from dtsen.acts import read_signer
from dtsen.audit.administration import recorded
from dtsen.clock import WIB
from dtsen.disclosure import agreements
from dtsen.disclosure.applying import submit
from dtsen.disclosure.opening import scopes_of
from schemas.agreement import AgreementInvalid

app = typer.Typer(help="Agreements: what each agency may see.", no_args_is_help=True)

app.command()(diff)


@app.command()
def validate(file: File) -> None:
    """Check an agreement file; nothing takes effect."""
    agreement = read_file(file, today=datetime.now(WIB).date())
    out.print(f"{file}: {agreement.agreement} version {agreement.version} is valid")


@app.command()
def openapi(file: File) -> None:
    """Print the OpenAPI document that is exactly the API of this agreement, as JSON."""
    agreement = read_file(file)
    chosen = settings()
    whole = document(create_app(chosen), chosen.issuer)
    print_json(own_document(whole, agreement, scopes_of(agreement)))


@app.command()
def apply(file: File, signer: SignerFile = None) -> None:
    """Put an agreement in force: at once if it opens nothing, else once a second person approves.

    It takes the place of its earlier version.
    """
    if signer is None:
        raise typer.BadParameter("--as is needed: the approver's file of who signs it")
    try:
        with told(), owner() as connection:
            found = submit(connection, keyring(), read_signer(signer), text_of(file))
    except AgreementInvalid as error:
        fail(_lines(file, error))
    for line in lines(found.difference, None):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if found.act is not None:
        out.print(waits(found.act), markup=False, highlight=False)
    else:
        name, version = found.agreement.agreement, found.agreement.version
        out.print(f"{name} version {version} is in force; it opens nothing new")


@app.command()
def revoke(agreement: str) -> None:
    """End an agreement now; when this returns, nothing is answered by it any more."""
    with (
        told(),
        owner() as connection,
        recorded(connection, keyring(), "agreement.revoke", agreement=agreement),
    ):
        agreements.revoke(connection, agreement)
    out.print(f"{agreement} is revoked")


@app.command("list")
def list_(*, json: bool = False) -> None:
    """List every version ever applied."""
    with owner() as connection:
        versions = agreements.every_version(connection)
    if json:
        print_json([asdict(version) for version in versions])
        return
    table = Table("agreement", "version", "agency", "state", "applied", "signed by")
    for version in versions:
        table.add_row(
            version.id,
            str(version.version),
            version.agency,
            version.state,
            version.applied_at.isoformat(timespec="seconds"),
            ", ".join(version.signed_by),
        )
    out.print(table)


@app.command()
def show(agreement: str, version: Annotated[int | None, typer.Option()] = None) -> None:
    """Print an agreement as it was applied; the newest version unless one is named."""
    with owner() as connection:
        document = agreements.document(connection, agreement, version)
    if document is None:
        fail("no such agreement or version")
    out.print(document, markup=False, highlight=False)


def _lines(file: Path, error: AgreementInvalid) -> str:
    return "\n".join(f"{file}:{fault}" for fault in error.faults)
