"""`dtsen approver`: who may sign two-person acts."""

import json as json_text
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from rich.table import Table

from cli.context import keyring, out, owner, print_json
from cli.signing import SignerFile, told, waits
from dtsen import acts
from dtsen.acts import Act, ActRefused, Signer, read_signer
from dtsen.audit.administration import Deed, recorded
from dtsen.audit.two_person import Effect, propose
from dtsen.keys import Keyring

ENROLL = "approver.add"
RETIRE = "approver.retire"

app = typer.Typer(help="People who sign two-person acts.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person's name here: a-z 0-9 . _ -")]


@app.command()
def add(
    name: Name,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Make a key and write it to this file.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Their own public key (Ed25519), 64 hexadecimal digits.")
    ] = None,
    signer: SignerFile = None,
) -> None:
    """Enroll a person: the first two at once, everybody after them as a two-person act."""
    if (out_file is None) == (key is None):
        raise typer.BadParameter("give either --out, to make a key, or --key, for their own")
    with told(), owner() as connection:
        public = make_file(name, out_file).public if out_file else _public(str(key))
        try:
            said = enroll(
                connection, keyring(), name, public, read_signer(signer) if signer else None
            )
        except BaseException:
            if out_file:
                out_file.unlink()
            raise
    out.print(said, markup=False, highlight=False)


@app.command()
def retire(name: Name, signer: SignerFile = None) -> None:
    """Let a person sign nothing more; a two-person act."""
    if signer is None:
        raise typer.BadParameter("--as is needed: the approver's file of who proposes it")
    with told(), owner() as connection:
        act = propose(connection, keyring(), read_signer(signer), RETIRE, {"name": name})
    out.print(waits(act), markup=False, highlight=False)


@app.command("list")
def list_(*, json: bool = False) -> None:
    """List everybody ever enrolled."""
    with owner() as connection:
        people = acts.approvers(connection)
    if json:
        print_json([{**_line(one), "key": one.key.hex()} for one in people])
        return
    table = Table("name", "enrolled", "retired")
    for one in people:
        table.add_row(*_line(one).values())
    out.print(table)


def enroll(
    connection: psycopg.Connection,
    keys: Keyring,
    name: str,
    public: bytes,
    signer: Signer | None,
) -> str:
    """Enroll at once while fewer than two ever were, else propose it; what is so now.

    Raises:
        ActRefused: the name or key was enrolled before, or somebody must sign.
    """
    with connection.transaction():
        if acts.needs_nobody(connection):
            with recorded(connection, keys, ENROLL) as deed:
                acts.enroll(connection, name, public)
                deed.personal["q"] = {"name": name, "key": public.hex()}
            return f"{name} is enrolled"
    if signer is None:
        raise ActRefused("enrolling takes two people now: --as says who proposes it")
    return waits(propose(connection, keys, signer, ENROLL, {"name": name, "key": public.hex()}))


def make_file(name: str, path: Path) -> Signer:
    """Make a person's key and write `{name, private_jwk}`, readable by its owner alone.

    Raises:
        ActRefused: the file is there; no key is ever overwritten.
    """
    key = Ed25519PrivateKey.generate()
    held = {"name": name, "private_jwk": OKPKey.import_key(key).as_dict(private=True)}
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ActRefused(f"{path} exists already; nothing was changed") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(json_text.dumps(held, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Signer(name, key)


def _enroll(connection: psycopg.Connection, _: Keyring, act: Act, deed: Deed) -> str:
    acts.enroll(connection, act.body["name"], bytes.fromhex(act.body["key"]))
    deed.personal["q"] = dict(act.body)
    return f"{act.body['name']} is enrolled"


def _retire(connection: psycopg.Connection, _: Keyring, act: Act, deed: Deed) -> str:
    acts.retire(connection, act.body["name"])
    deed.personal["q"] = dict(act.body)
    return f"{act.body['name']} is retired"


EFFECTS: Mapping[str, Effect] = {ENROLL: _enroll, RETIRE: _retire}
"""What its acts do once two people have signed them."""


def _public(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ActRefused("a public key is 64 hexadecimal digits") from None


def _line(one: acts.Approver) -> dict[str, str]:
    retired = one.retired_at.isoformat(timespec="seconds") if one.retired_at else ""
    return {
        "name": one.name,
        "enrolled": one.enrolled_at.isoformat(timespec="seconds"),
        "retired": retired,
    }
