"""Clients that show a certificate instead of signing assertions (RFC 8705)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from auth.authentication import SELF_SIGNED_TLS
from auth.certificates import as_jwk
from auth.clients import ClientRefused, NewClient, add_client
from auth.server import TOKEN_PATH
from cli.certificates import self_signed
from cli.client_file import ClientTerms, add_with_file, told_of
from cli.context import settings
from cli.front import authority_file


def add_with_new_certificate(connection: psycopg.Connection, terms: ClientTerms, out: Path) -> None:
    """Register a client by a certificate made for it, and write its file; both or neither.

    Raises:
        ClientRefused: see `add_client`; or nowhere can certificates be shown.
        FileExistsError: the file is there.
    """
    origin = settings().tls_origin
    if origin is None:
        raise ClientRefused("no proxy takes certificates here: DTSEN_TLS_ORIGIN is not set")
    pair = self_signed(terms.client_id)
    content = told_of(replace(terms, binding="mtls")) | {
        "token_endpoint": origin + TOKEN_PATH,
        "auth_method": SELF_SIGNED_TLS,
        "certificate": pair.certificate,
        "key": pair.key,
    }
    if authority_file().exists():
        content["ca_file"] = str(authority_file())
    client = certified(terms, pair.certificate.encode())
    add_with_file(connection, client, content, out)


def add_with_certificate(
    connection: psycopg.Connection, terms: ClientTerms, certificate: bytes
) -> None:
    """Register a client by its own certificate (PEM).

    Raises:
        ClientRefused: see `add_client`.
        CertificateRefused: it is no certificate.
    """
    add_client(connection, certified(terms, certificate))


def certified(terms: ClientTerms, certificate: bytes) -> NewClient:
    """A client to be that authenticates by a certificate, its tokens bound to it."""
    jwks: dict[str, Any] = {"keys": [as_jwk(certificate)]}
    return NewClient(
        *(terms.client_id, terms.agency, terms.description, jwks, "mtls", SELF_SIGNED_TLS),
        expires_at=terms.expires,
    )
