"""Keys that an agency made itself, as an operator names them; and a new one in a client's file."""

import os
from datetime import timedelta
from json import dumps, loads
from pathlib import Path
from typing import Any

import psycopg

from auth.clients import ClientRefused, rotate_client
from auth.fetching import fetch_jwks
from auth.jwks import KeysRefused, canonical_algorithm, public_jwks
from cli.client_file import Algorithm, make_key

OWN_KEYS = "The client's own public keys: a JWK set's file, or https URL on DTSEN_JWKS_HOSTS."


def own_keys(jwks: str, hosts: str) -> Any:  # noqa: ANN401 - checked where it is used
    """The JWK set of a file, or at a URL of one of `hosts` (by commas).

    Raises:
        KeysRefused: it cannot be had.
    """
    if jwks.startswith("https:"):
        return fetch_jwks(jwks, {host.strip() for host in hosts.split(",")} - {""})
    try:
        return loads(Path(jwks).read_bytes())
    except (OSError, ValueError, RecursionError):
        raise KeysRefused(f"{jwks} is no JWK set that can be read") from None


def rotate_file(
    connection: psycopg.Connection, client_id: str, file: Path, keep: timedelta
) -> list[str]:
    """Put a new key into a client's file, once it is registered; the old file stays until then.

    Raises:
        ClientRefused: it is another client's file, or the client is not in force.
    """
    held = loads(file.read_bytes())
    if held.get("client_id") != client_id or "private_jwk" not in held:
        raise ClientRefused(f"{file} is not the file of {client_id}")
    key = make_key(Algorithm(canonical_algorithm(held["private_jwk"]["alg"])))
    draft = file.with_name(f".{file.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(dumps({**held, "private_jwk": key.as_dict(private=True)}, indent=2) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        kids = rotate_client(connection, client_id, public_jwks([key]), keep)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return kids
