"""`dtsen client`: register an agency's systems, list them, end them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.table import Table

from auth.certificates import CertificateRefused
from auth.clients import (
    ClientRefused,
    add_client,
    list_clients,
    revoke_client,
    rotate_client,
)
from auth.jwks import KeysRefused
from auth.rotation import KEEP, ends
from cli.certified import add_with_certificate, add_with_new_certificate
from cli.client_file import Algorithm, Bound, ClientTerms, add_with_new_key, new_client
from cli.context import fail, keyring, out as console, owner, print_json, settings
from cli.own_keys import OWN_KEYS, own_keys, rotate_file
from dtsen.audit.administration import recorded
from dtsen.clock import Clock

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
    jwks: Annotated[str | None, typer.Option(help=OWN_KEYS)] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The client's own certificate (PEM).", exists=True)
    ] = None,
    binding: Annotated[
        Bound, typer.Option(help="What its tokens are bound to; none only by exception.")
    ] = Bound.dpop,
    expires: Annotated[
        datetime | None, typer.Option(help="Its last day (UTC).", formats=["%Y-%m-%d"])
    ] = None,
    scope: Annotated[str, typer.Option(help="Scopes to note in the file.")] = "",
    purpose: Annotated[list[str] | None, typer.Option(help="Purposes to note in it.")] = None,
) -> None:
    """Register a client by what it authenticates with: new (--out) or its own.

    With `--out` and `--binding mtls` a certificate is made instead of a key.
    """
    if [out, jwks, certificate].count(None) != 2:  # noqa: PLR2004 - one of three
        raise typer.BadParameter("give one of --out (makes a key), --jwks and --certificate")
    issuer = settings().issuer
    last = expires.replace(tzinfo=UTC) + timedelta(days=1) if expires else None
    terms = ClientTerms(
        client_id, agency, description, issuer, scope, purpose or (), binding.value, last
    )
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
            add_client(connection, new_client(terms, own_keys(jwks, settings().jwks_hosts)))
    console.print(f"{client_id} is registered for {agency}", markup=False)


@app.command("list")
def list_(*, json: bool = False) -> None:
    """List all clients ever registered: their keys and ends, last use, and what ends soon."""
    now = Clock().now()
    with owner() as connection:
        clients = list_clients(connection)
    if json:
        print_json(
            [asdict(each) | {"kids": each.kids, "warnings": each.warnings(now)} for each in clients]
        )
        return
    table = Table("client", "agency", "description", "binding", "keys", "last used", "state")
    for client in clients:
        keys = ", ".join(_named(key) for key in client.keys)
        used = client.last_used.isoformat(timespec="hours") if client.last_used else ""
        state = "; ".join(client.warnings(now))
        if client.revoked_at:
            state = f"revoked {client.revoked_at.isoformat(timespec='seconds')}"
        said = (client.client_id, client.agency, client.description, client.binding)
        table.add_row(*said, keys, used, state)
    console.print(table)


def _named(key: dict[str, Any]) -> str:
    end = ends(key)
    return f"{key.get('kid', '')}" + (f" (until {end.date()})" if end else "")


@app.command()
def rotate(
    client_id: Annotated[str, typer.Argument(help="Its name.")],
    *,
    file: Annotated[
        Path | None,
        typer.Option(help="Make a new key and put it into this client file.", exists=True),
    ] = None,
    jwks: Annotated[str | None, typer.Option(help=OWN_KEYS)] = None,
    keep: Annotated[
        int, typer.Option(min=0, max=90, help="Days that the newest old key still serves.")
    ] = KEEP.days,
) -> None:
    """Give a client a new key; the newest old one serves beside it for a while."""
    if (file is None) == (jwks is None):
        raise typer.BadParameter("give either --file, for a new key, or --jwks, for its own keys")
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "client.rotate", client=client_id) as deed,
    ):
        days = timedelta(days=keep)
        if file is not None:
            kids = rotate_file(connection, client_id, file, days)
        elif jwks is not None:
            kids = rotate_client(connection, client_id, own_keys(jwks, settings().jwks_hosts), days)
        deed.clear["key_name"] = kids[-1]
    console.print(f"{client_id} now has {', '.join(kids)}", markup=False)


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
