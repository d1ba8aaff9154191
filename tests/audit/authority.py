"""A timestamp authority that runs: `openssl ts` behind HTTP, with a CA of its own."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamper]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""
_OPENSSL = shutil.which("openssl") or "/usr/bin/openssl"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*words: object) -> None:
    subprocess.run([_OPENSSL, *map(str, words)], check=True, capture_output=True)


class Authority:
    """Key and certificates in a folder; `indirect`: of an authority between it and the root."""

    def __init__(self, folder: Path, *, indirect: bool = False) -> None:
        folder.mkdir()
        self._folder = folder
        self.ca = folder / "ca.pem"
        self._config = folder / "conf"
        self._config.write_text(_CONFIG.format(folder=folder))
        ca = ("-keyout", folder / "ca.key", "-out", self.ca, "-subj", f"/CN={folder.name} CA")
        made = ("req", "-x509", "-config", self._config, "-days", 30)
        openssl(*made, "-extensions", "ca", *_KEY, *ca)
        self.between = folder / "between.pem"
        between = ("-keyout", folder / "between.key", "-out", self.between, "-subj", "/CN=Between")
        by = ("-CA", self.ca, "-CAkey", folder / "ca.key")
        openssl(*made, "-extensions", "ca", *_KEY, *between, *by)
        if indirect:
            by = ("-CA", self.between, "-CAkey", folder / "between.key")
        mine = ("-keyout", folder / "tsa.key", "-out", folder / "tsa.pem", "-subj", "/CN=TSA")
        openssl(*made, "-extensions", "stamper", *_KEY, *mine, *by)

    def answer(self, query: bytes) -> bytes:
        """What it answers to a query."""
        asked, told = self._folder / "query", self._folder / "reply"
        asked.write_bytes(query)
        openssl(
            *("ts", "-reply", "-config", self._config, "-section", "authority"),
            *("-queryfile", asked, "-out", told),
        )
        return told.read_bytes()

    def verifies(self, answer: Path, content: Path) -> None:
        """Let openssl itself judge an answer."""
        openssl("ts", "-verify", "-in", answer, "-data", content, "-CAfile", self.ca)


@contextmanager
def serving(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """An address at which every query is answered so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            told = answer(query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsr"
        finally:
            server.shutdown()
            thread.join()
