"""The nginx of `make run-tls`: the configuration of `deploy/nginx`, filled in and run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from cryptography import x509

from cli.certificates import sandbox_server
from cli.context import err, fail, settings
from cli.processes import end_with_parent, ended

HOP = "127.0.0.2"
"""The loopback address from which nginx asks the API: nobody else is believed on certificates."""
HOST = "localhost"
PACKAGE = "nginx-light"
INSTALL = f"apt-get update && apt-get install --yes --no-install-recommends {PACKAGE}"
RENEW_BEFORE = timedelta(days=30)


def announce() -> None:
    """Say in the environment, and so to every process of the sandbox, that there is a front."""
    origin = f"https://{HOST}:{settings().tls_port}"
    os.environ |= {"DTSEN_TLS_HOPS": HOP, "DTSEN_TLS_ORIGIN": origin}
    settings.cache_clear()


def authority_file() -> Path:
    """Where the authority is that vouches for the front (contract 3)."""
    return settings().home / "demo" / "ca.pem"


@contextmanager
def front() -> Iterator[subprocess.Popen[bytes]]:
    """The front, running until the end; requests are answered once the API is up."""
    folder = settings().home / "nginx"
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    _certify(folder)
    (folder / "nginx.conf").write_text(configuration())
    process = subprocess.Popen(  # noqa: S603 - the program was looked up
        [program(), "-e", "stderr", "-p", folder, "-c", "nginx.conf"],
        preexec_fn=end_with_parent,  # noqa: PLW1509 - before any thread exists
    )
    with ended(process):
        yield process


def configuration() -> str:
    """The configuration with its words filled in."""
    text = (files("deploy") / "nginx" / "dtsen.conf").read_text()
    chosen = settings()
    words = {
        "port": str(chosen.port),
        "tls_port": str(chosen.tls_port),
        "issuer": chosen.issuer,
        "hop": HOP,
    }
    for word, value in words.items():
        text = text.replace(f"{{{{{word}}}}}", value)
    return text


def program() -> str:
    """Where nginx is, installed first if it is missing and we are root."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    found = shutil.which("nginx", path=path)
    if found is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        fail(f"nginx is missing. Install it and run again: sudo sh -c '{INSTALL}'")
    err.print("Installing nginx ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(  # noqa: S603 - a line of ours
        ["/bin/sh", "-c", INSTALL], env=environment, check=False, stdout=2
    )
    found = shutil.which("nginx", path=path)
    if found is None:
        fail(f"nginx could not be installed by: {INSTALL}")
    return found


def _certify(folder: Path) -> None:
    """Make authority and certificate where there are none, or where they end soon."""
    certificate, key = folder / "server.pem", folder / "server.key"
    if certificate.exists() and key.exists() and authority_file().exists():
        held = x509.load_pem_x509_certificate(certificate.read_bytes())
        if held.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC):
            return
    authority, pair = sandbox_server(HOST)
    authority_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key.unlink(missing_ok=True)
    key.touch(mode=0o600)
    key.write_text(pair.key)
    certificate.write_text(pair.certificate)
    authority_file().write_text(authority)
