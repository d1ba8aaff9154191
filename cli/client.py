"""`dtsen client`: register an agency's systems, list them, end them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from json import loads
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.table import Table

from auth.certificates import CertificateRefused
from auth.clients import ClientRefused, add_client, list_clients, revoke_client
from auth.jwks import KeysRefused
from cli.certified import add_with_certificate, add_with_new_certificate
from cli.client_file import Algorithm, Bound, ClientTerms, add_with_new_key, new_client
from cli.context import fail, keyring, out as console, owner, print_json, settings
from dtsen.audit.administration import recorded

app = typer.Typer(help="Systems of agencies that may ask for tokens.", no_args_is_help=True)


@contextmanager
def _told() -> Iterator[None]:
    """Say what went wrong and end the command."""
    try:
        yield
    except (CertificateRefused, ClientRefused, KeysRefused) as error:
        fail(str(error))
    except FileExistsError as error:
        fail(f"{error.filename} exists already; nothing was changed")
    except psycopg.errors.LockNotAvailable:
        fail("Requests in flight did not end within 5 s; nothing was changed, try again")


@app.command()
def add(  # noqa: PLR0913 - one for each option
    client_id: Annotated[str, typer.Argument(help="Its name; letters, digits, . - _")],
    *,
    agency: Annotated[str, typer.Option(help="Code of its agency, which must be known.")],
    description: Annotated[str, typer.Option(help="What the system is, in words.")],
    out: Annotated[
        Path | None, typer.Option(help="Make a key, and write it with all else to this file.")
    ] = None,
    alg: Annotated[Algorithm, typer.Option(help="Kind of key to make.")] = Algorithm.ES256,
    jwks: Annotated[
        Path | None, typer.Option(help="The client's own public keys (JWK set).", exists=True)
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The client's own certificate (PEM).", exists=True)
    ] = None,
    binding: Annotated[
        Bound, typer.Option(help="What its tokens are bound to; none only by exception.")
    ] = Bound.dpop,
    scope: Annotated[str, typer.Option(help="Scopes to note in the file.")] = "",
    purpose: Annotated[list[str] | None, typer.Option(help="Purposes to note in it.")] = None,
) -> None:
    """Register a client by what it authenticates with: new (--out) or its own.

    With `--out` and `--binding mtls` a certificate is made instead of a key.
    """
    if [out, jwks, certificate].count(None) != 2:  # noqa: PLR2004 - one of three
        raise typer.BadParameter("give one of --out (makes a key), --jwks and --certificate")
    issuer = settings().issuer
    terms = ClientTerms(client_id, agency, description, issuer, scope, purpose or (), binding.value)
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "client.add", client=client_id),
    ):
        if out is not None and binding is Bound.mtls:
            add_with_new_certificate(connection, terms, out)
        elif out is not None:
            add_with_new_key(connection, terms, alg, out)
        elif certificate is not None:
            add_with_certificate(connection, terms, certificate.read_bytes())
        elif jwks is not None:
            add_client(connection, new_client(terms, _read_jwks(jwks)))
    console.print(f"{client_id} is registered for {agency}", markup=False)


def _read_jwks(path: Path) -> Any:  # noqa: ANN401 - checked by `add_client`
    try:
        return loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise KeysRefused(f"{path} is not JSON") from None


@app.command("list")
def list_(*, json: bool = False) -> None:
    """List all clients ever registered."""
    with owner() as connection:
        clients = list_clients(connection)
    if json:
        print_json([asdict(client) for client in clients])
        return
    table = Table("client", "agency", "description", "binding", "keys", "revoked")
    for client in clients:
        revoked = client.revoked_at.isoformat(timespec="seconds") if client.revoked_at else ""
        kids = ", ".join(client.kids)
        table.add_row(
            *(client.client_id, client.agency, client.description, client.binding, kids, revoked)
        )
    console.print(table)


@app.command()
def revoke(client_id: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """End a client at once: once this returns, nothing is answered under it any more."""
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "client.revoke", client=client_id),
    ):
        revoke_client(connection, client_id)
    console.print(f"{client_id} is revoked", markup=False)
