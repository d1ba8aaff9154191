"""`dtsen agency`: what concerns an agency beside its agreements."""

from typing import Annotated

import typer

from cli.context import keyring, out, owner
from cli.signing import SignerFile, told, waits
from dtsen.acts import read_signer
from dtsen.disclosure.rekeying import propose_rekey

app = typer.Typer(help="Agencies.", no_args_is_help=True)


@app.callback()
def _agency() -> None:
    pass


@app.command()
def rekey(
    agency: Annotated[str, typer.Argument(help="Its code.")], signer: SignerFile = None
) -> None:
    """Propose a new key for an agency's opaque ids; those already issued still resolve."""
    if signer is None:
        raise typer.BadParameter("--as is needed: the approver's file of who proposes it")
    with told(), owner() as connection:
        act = propose_rekey(connection, keyring(), read_signer(signer), agency)
    out.print(waits(act), markup=False, highlight=False)
