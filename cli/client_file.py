"""A client's file: who it is, where it asks, and its private keys; made as it is registered."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json import dumps
from pathlib import Path
from typing import Any

import psycopg
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey

from auth.authentication import PRIVATE_KEY_JWT
from auth.clients import NewClient, add_client
from auth.jwks import public_jwks
from auth.server import TOKEN_PATH
from schemas.agreement_models import Binding

RSA_BITS = 3072


class Algorithm(StrEnum):
    """What a client signs with."""

    ES256 = "ES256"
    PS256 = "PS256"
    Ed25519 = "Ed25519"


class Bound(StrEnum):
    """What a client's tokens are bound to."""

    dpop = "dpop"
    mtls = "mtls"
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
    expires: datetime | None = None


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


def told_of(terms: ClientTerms) -> dict[str, Any]:
    """What a client's file says beside its keys."""
    return {
        "client_id": terms.client_id,
        "agency": terms.agency,
        "description": terms.description,
        "issuer": terms.issuer,
        "token_endpoint": terms.issuer + TOKEN_PATH,
        "token_binding": terms.binding,
        "scope": terms.scope,
        "purposes": list(terms.purposes),
    }


def client_file(terms: ClientTerms, key: Key) -> dict[str, Any]:
    """What a client's system keeps: who it is, where it asks, and its private keys.

    The key of its proofs is one of its own making: nobody registers it.
    """
    proving = {}
    if terms.binding == "dpop":
        proving["dpop_private_jwk"] = make_key(Algorithm.ES256).as_dict(private=True)
    keys = {"auth_method": PRIVATE_KEY_JWT, "private_jwk": key.as_dict(private=True)}
    return told_of(terms) | keys | proving


def add_with_new_key(
    connection: psycopg.Connection, terms: ClientTerms, algorithm: Algorithm, out: Path
) -> None:
    """Register a client with a new key and write its file; both or neither.

    Raises:
        ClientRefused: see `add_client`.
        FileExistsError: the file is there; no key is ever overwritten.
    """
    key = make_key(algorithm)
    client = new_client(terms, public_jwks([key]))
    add_with_file(connection, client, client_file(terms, key), out)


def add_with_file(
    connection: psycopg.Connection, client: NewClient, content: dict[str, Any], out: Path
) -> None:
    """Register a client and write its file, readable by its owner alone; both or neither.

    Raises:
        ClientRefused: see `add_client`.
        FileExistsError: the file is there; no key is ever overwritten.
    """
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        add_client(connection, client)
    except BaseException:
        out.unlink()
        raise


def new_client(terms: ClientTerms, jwks: dict[str, Any]) -> NewClient:
    """A client to be that authenticates with its keys."""
    said = (terms.client_id, terms.agency, terms.description, jwks, terms.binding)
    return NewClient(*said, expires_at=terms.expires)
