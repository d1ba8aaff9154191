"""`dtsen client`: register an agency's systems, list them, end them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from json import dumps, loads
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey
from rich.table import Table

from auth.authentication import PRIVATE_KEY_JWT
from auth.clients import ClientRefused, NewClient, add_client, list_clients, revoke_client
from auth.jwks import KeysRefused, public_jwks
from auth.server import TOKEN_PATH
from cli.context import fail, keyring, out as console, owner, print_json, settings
from dtsen.audit.administration import recorded
from schemas.agreement_models import Binding

RSA_BITS = 3072

app = typer.Typer(help="Systems of agencies that may ask for tokens.", no_args_is_help=True)


class Algorithm(StrEnum):
    """What a client signs with."""

    ES256 = "ES256"
    PS256 = "PS256"
    Ed25519 = "Ed25519"


class Bound(StrEnum):
    """What a client's tokens are bound to."""

    dpop = "dpop"
    none = "none"


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """What is said of a client to be; `scope` and `purposes` only stand in its file."""

    client_id: str
    agency: str
    description: str
    issuer: str
    scope: str = ""
    purposes: Sequence[str] = ()
    binding: Binding = "none"


def make_key(algorithm: Algorithm) -> Key:
    """A new private key, named by its thumbprint (RFC 7638)."""
    marks = KeyParameters(alg=algorithm.value, use="sig")
    key: Key
    if algorithm is Algorithm.ES256:
        key = ECKey.generate_key("P-256", marks, auto_kid=True)
    elif algorithm is Algorithm.PS256:
        key = RSAKey.generate_key(RSA_BITS, marks, auto_kid=True)
    else:
        key = OKPKey.generate_key("Ed25519", marks, auto_kid=True)
    return key


def client_file(terms: ClientTerms, key: Key) -> dict[str, Any]:
    """What a client's system keeps: who it is, where it asks, and its private keys.

    The key of its proofs is one of its own making: nobody registers it.
    """
    proving = {}
    if terms.binding == "dpop":
        proving["dpop_private_jwk"] = make_key(Algorithm.ES256).as_dict(private=True)
    return {
        "client_id": terms.client_id,
        "agency": terms.agency,
        "description": terms.description,
        "issuer": terms.issuer,
        "token_endpoint": terms.issuer + TOKEN_PATH,
        "auth_method": PRIVATE_KEY_JWT,
        "private_jwk": key.as_dict(private=True),
        "token_binding": terms.binding,
        **proving,
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
            file.write(dumps(client_file(terms, key), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        add_client(connection, _new_client(terms, public_jwks([key])))
    except BaseException:
        out.unlink()
        raise


def _new_client(terms: ClientTerms, jwks: dict[str, Any]) -> NewClient:
    return NewClient(terms.client_id, terms.agency, terms.description, jwks, terms.binding)


@contextmanager
def _told() -> Iterator[None]:
    """Say what went wrong and end the command."""
    try:
        yield
    except (ClientRefused, KeysRefused) as error:
        fail(str(error))
    except FileExistsError as error:
        fail(f"{error.filename} exists already; nothing was changed")
    except psycopg.errors.LockNotAvailable:
        fail("Requests in flight did not end within 5 s; nothing was changed, try again")


@app.command()
def add(
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
    binding: Annotated[
        Bound, typer.Option(help="What its tokens are bound to; none only by exception.")
    ] = Bound.dpop,
    scope: Annotated[str, typer.Option(help="Scopes to note in the file.")] = "",
    purpose: Annotated[list[str] | None, typer.Option(help="Purposes to note in it.")] = None,
) -> None:
    """Register a client, with a new key (--out) or its own public keys (--jwks)."""
    if (out is None) == (jwks is None):
        raise typer.BadParameter("give either --out, to make a key, or --jwks, for its own keys")
    issuer = settings().issuer
    terms = ClientTerms(client_id, agency, description, issuer, scope, purpose or (), binding.value)
    with (
        _told(),
        owner() as connection,
        recorded(connection, keyring(), "client.add", client=client_id),
    ):
        if out is not None:
            add_with_new_key(connection, terms, alg, out)
        elif jwks is not None:
            add_client(connection, _new_client(terms, _read_jwks(jwks)))
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
