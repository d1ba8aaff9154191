"""Connections to the API: always verified, with a certificate where the client shows one."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from dtsen.client.file import ClientFile

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


def connect(
    file: ClientFile, *, timeout: float, authorities: str | Path | None = None
) -> httpx2.Client:
    """A connection to where the client's calls go; `timeout` in seconds for each wait.

    `authorities` is a file of certificates (PEM) to trust instead of the system's.

    Raises:
        OSError: a file of authorities cannot be read.
        ssl.SSLError: the certificate or an authority is none.
    """
    context = tls_context(file, authorities)
    return httpx2.Client(base_url=origin(file), timeout=timeout, verify=context)


@contextmanager
def connected(file: ClientFile, *, timeout: float) -> Iterator[httpx2.Client]:
    """A connection that ends with the block; see `connect`."""
    with connect(file, timeout=timeout) as http:
        yield http


def origin(file: ClientFile) -> str:
    """Where calls go: to the issuer, or where certificates are taken once that is known."""
    if "certificate" in file and "token_endpoint" in file:
        return str(file["token_endpoint"]).removesuffix(TOKEN_PATH)
    return str(file["issuer"])


def tls_context(file: ClientFile, authorities: str | Path | None = None) -> ssl.SSLContext:
    """TLS that verifies, trusting the authority that the file names, with its certificate."""
    context = ssl.create_default_context(cafile=authorities or file.get("ca_file"))
    if "certificate" not in file:
        return context
    # OpenSSL reads key and certificate from files alone.
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        pair.touch(mode=0o600)
        pair.write_text(file["certificate"] + file["key"])
        context.load_cert_chain(pair)
    return context
