"""`dtsen client`: register an agency's systems, list them, end them."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from rich.console import Console
from rich.table import Table

from auth.clients import ClientRefused, NewClient, add_client, list_clients, revoke_client
from auth.jwks import KeysRefused, public_jwks
from auth.routes import TOKEN_PATH
from auth.server import AUTH_METHOD
from dtsen.database import connect
from dtsen.embedded import EmbeddedError, cluster
from dtsen.settings import SettingsError, read_settings

RSA_BITS = 3072

app = typer.Typer(help="Systems of agencies that may ask for tokens.", no_args_is_help=True)
errors = Console(stderr=True)


class Algorithm(StrEnum):
    """What a client signs with."""

    ES256 = "ES256"
    PS256 = "PS256"
    Ed25519 = "Ed25519"


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """What is said of a client to be; `scope` and `purposes` only stand in its file."""

    client_id: str
    agency: str
    description: str
    issuer: str
    scope: str = ""
    purposes: Sequence[str] = ()


def make_key(algorithm: Algorithm) -> Key:
    """A new private key, named by its thumbprint (RFC 7638)."""
    marks = {"alg": algorithm.value, "use": "sig"}
    key: Key
    if algorithm is Algorithm.ES256:
        key = ECKey.generate_key("P-256", marks, auto_kid=True)
    elif algorithm is Algorithm.PS256:
        key = RSAKey.generate_key(RSA_BITS, marks, auto_kid=True)
    else:
        key = OKPKey.generate_key("Ed25519", marks, auto_kid=True)
    return key


def client_file(terms: ClientTerms, key: Key) -> dict[str, Any]:
    """What a client's system keeps: who it is, where it asks, and its private key."""
    return {
        "client_id": terms.client_id,
        "agency": terms.agency,
        "description": terms.description,
        "issuer": terms.issuer,
        "token_endpoint": terms.issuer + TOKEN_PATH,
        "auth_method": AUTH_METHOD,
        "private_jwk": key.as_dict(private=True),
        "token_binding": "none",
        "scope": terms.scope,
        "purposes": list(terms.purposes),
    }


def add_with_new_key(
    connection: psycopg.Connection, terms: ClientTerms, algorithm: Algorithm, out: Path
) -> None:
    """Register a client and write its file, readable by its owner alone; both or neither.

    Raises:
        ClientRefused: see `add_client`.
        FileExistsError: the file is there; no key is ever overwritten.
    """
    key = make_key(algorithm)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(client_file(terms, key), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        add_client(connection, _new_client(terms, public_jwks([key])))
    except BaseException:
        out.unlink()
        raise


def _new_client(terms: ClientTerms, jwks: dict[str, Any]) -> NewClient:
    return NewClient(terms.client_id, terms.agency, terms.description, jwks)


@contextmanager
def _registry() -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection of the owner and the issuer; what goes wrong is said and ends the command."""
    try:
        settings = read_settings()
        with cluster(settings, attach=True) as urls, connect(urls.owner) as connection:
            yield connection, settings.issuer
    except (SettingsError, EmbeddedError, ClientRefused, KeysRefused) as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(1) from None
    except FileExistsError as error:
        errors.print(f"{error.filename} exists already; nothing was changed", markup=False)
        raise typer.Exit(1) from None
    except psycopg.errors.LockNotAvailable:
        errors.print("Requests in flight did not end within 5 s; nothing was changed, try again")
        raise typer.Exit(1) from None


@app.command()
def add(
    client_id: Annotated[str, typer.Argument(help="Its name; letters, digits, . - _")],
    agency: Annotated[str, typer.Option(help="Code of its agency, which must be known.")],
    description: Annotated[str, typer.Option(help="What the system is, in words.")],
    out: Annotated[
        Path | None, typer.Option(help="Make a key, and write it with all else to this file.")
    ] = None,
    alg: Annotated[Algorithm, typer.Option(help="Kind of key to make.")] = Algorithm.ES256,
    jwks: Annotated[
        Path | None, typer.Option(help="The client's own public keys (JWK set).", exists=True)
    ] = None,
    scope: Annotated[str, typer.Option(help="Scopes to note in the file.")] = "",
    purpose: Annotated[list[str] | None, typer.Option(help="Purposes to note in it.")] = None,
) -> None:
    """Register a client, with a new key (--out) or its own public keys (--jwks)."""
    if (out is None) == (jwks is None):
        raise typer.BadParameter("give either --out, to make a key, or --jwks, for its own keys")
    with _registry() as (connection, issuer):
        terms = ClientTerms(client_id, agency, description, issuer, scope, purpose or ())
        if out is not None:
            add_with_new_key(connection, terms, alg, out)
        elif jwks is not None:
            add_client(connection, _new_client(terms, _read_jwks(jwks)))
    errors.print(f"{client_id} is registered for {agency}", markup=False)


def _read_jwks(path: Path) -> Any:  # noqa: ANN401 - checked by `add_client`
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise KeysRefused(f"{path} is not JSON") from None


@app.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List all clients ever registered."""
    with _registry() as (connection, _):
        clients = list_clients(connection)
    if as_json:
        typer.echo(json.dumps([asdict(client) for client in clients], default=str, indent=2))
        return
    table = Table("client", "agency", "description", "binding", "keys", "revoked")
    for client in clients:
        revoked = client.revoked_at.isoformat(timespec="seconds") if client.revoked_at else ""
        kids = ", ".join(client.kids)
        table.add_row(
            *(client.client_id, client.agency, client.description, client.binding, kids, revoked)
        )
    Console().print(table)


@app.command()
def revoke(client_id: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """End a client at once: once this returns, nothing is answered under it any more."""
    with _registry() as (connection, _):
        revoke_client(connection, client_id)
    errors.print(f"{client_id} is revoked", markup=False)
