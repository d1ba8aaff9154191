"""A client's keys in time: two at once, ends that hold, fetched from named hosts alone."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from auth import fetching
from auth.fetching import fetch_jwks, is_public
from auth.jwks import KeysRefused, public_jwks
from auth.rotation import KEEP, in_force, rotated
from tests.auth.make import new_key

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OLD, NEW, NEWER = (new_key("ES256", kid) for kid in ("old", "new", "newer"))


def test_a_new_key_serves_beside_the_old_one_which_ends():
    made = rotated(public_jwks([OLD]), [NEW], NOW, KEEP)
    assert [key["kid"] for key in made["keys"]] == ["old", "new"]
    assert made["keys"][0]["exp"] == (NOW + KEEP).timestamp()
    assert "exp" not in made["keys"][1]
    assert [key["kid"] for key in in_force(made, NOW + KEEP)["keys"]] == ["new"]
    assert in_force(made, NOW + KEEP - timedelta(seconds=1)) == made


def test_there_are_never_more_than_two_and_an_end_is_never_put_off():
    two = rotated(public_jwks([OLD]), [NEW], NOW, KEEP)
    three = rotated(two, [NEWER], NOW + timedelta(days=1), KEEP)
    assert [key["kid"] for key in three["keys"]] == ["new", "newer"]
    ending = {"keys": [{**public_jwks([OLD])["keys"][0], "exp": int(NOW.timestamp()) + 60}]}
    assert rotated(ending, [NEW], NOW, KEEP)["keys"][0]["exp"] == NOW.timestamp() + 60


def test_nothing_is_kept_where_nothing_is_to_be():
    assert rotated(public_jwks([OLD]), [NEW], NOW, timedelta()) == public_jwks([NEW])


@pytest.mark.parametrize("again", [OLD, new_key("ES256", "old")])
def test_a_key_or_name_that_is_there_is_refused(again):
    with pytest.raises(KeysRefused):
        rotated(public_jwks([OLD]), [again], NOW, KEEP)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("fd00::1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("2002:a00:1::1", False),
        ("2001:0:a00:1::1", False),
        ("::a00:1", False),
        ("fe80::1%eth0", False),
        ("fe80::1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address that is refused
        ("224.0.0.1", False),
    ],
)
def test_only_public_addresses_are_asked(address, public):
    assert is_public(address) == public


class Publisher(BaseHTTPRequestHandler):
    """An agency's web server, with what it may get wrong."""

    def do_GET(self):
        content = json.dumps(public_jwks([OLD])).encode()
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/jwks.json")
            self.end_headers()
            return
        if self.path == "/large":
            content = b" " * (fetching.MOST_BYTES + 1)
        if self.path == "/html":
            content = b"<html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            for byte in content if self.path == "/slow" else [content]:
                self.wfile.write(bytes([byte]) if isinstance(byte, int) else byte)
                if isinstance(byte, int):
                    time.sleep(0.1)  # the fault that is tested
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def publisher(folder: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Its address, and a context that trusts its certificate."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    certificate = folder / "certificate.pem"
    certificate.write_bytes(built.sign(key, SHA256()).public_bytes(Encoding.PEM))
    pair = folder / "pair.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair.write_bytes(private + certificate.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mine.load_cert_chain(pair)
    server.socket = mine.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        trusting = ssl.create_default_context(cafile=str(certificate))
        yield f"https://localhost:{server.server_address[1]}", trusting
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_set_is_fetched_from_a_named_host_and_nothing_else_is_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 1.0)
    with publisher(tmp_path) as (origin, trusting):
        how = {"allowed": lambda _: True, "context": trusting}
        assert fetch_jwks(origin + "/jwks.json", {"localhost"}, **how) == public_jwks([OLD])
        for path in ("/moved", "/large", "/html", "/slow"):
            with pytest.raises(KeysRefused):
                fetch_jwks(origin + path, {"localhost"}, **how)
        for hosts in (set(), {"contoh.go.id"}):
            with pytest.raises(KeysRefused, match="DTSEN_JWKS_HOSTS"):
                fetch_jwks(origin + "/jwks.json", hosts, **how)
        with pytest.raises(KeysRefused, match="not public"):
            fetch_jwks(origin + "/jwks.json", {"localhost"}, context=trusting)
        with pytest.raises(KeysRefused, match="SSL"):
            fetch_jwks(origin + "/jwks.json", {"localhost"}, allowed=lambda _: True)


@pytest.mark.parametrize(
    "url",
    [
        "http://contoh.go.id/jwks",
        "https://u:p@contoh.go.id/jwks",
        "https:///jwks",
        "file:///etc/passwd",
        "https://contoh.go.id/jwks#x",
    ],
)
def test_another_kind_of_url_is_refused(url):
    with pytest.raises(KeysRefused):
        fetch_jwks(url, {"contoh.go.id"})
