"""A gateway that rewrites host and path changes nothing; a restart forgets nothing used."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pytest

from dtsen.client.proofs import make_proof
from dtsen.client.showing import call, shown
from dtsen.client.tokens import authenticated, fetch_token
from tests.faults.processes import children, until, workers
from tests.sandbox import running_sandbox
from tests.softhsm import module

PREFIX = "/gerbang/dtsen"
CLIENT = "demo-ministry"
PATH = "/v1/releases/current"


@contextmanager
def gateway(port: int) -> Iterator[str]:
    """A proxy on a port of its own that serves below a prefix and says another host."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            inner = HTTPConnection("127.0.0.1", port, timeout=30)
            path = self.path.removeprefix(PREFIX)
            more = {"Host": "dalam.example:9", "X-Forwarded-Host": "luar.example"}
            inner.request(self.command, path, body, headers | more)
            answer = inner.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            inner.close()

        do_GET = do_POST = forward  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_only_the_issuer_is_compared_whatever_a_gateway_rewrites(sandbox):
    client = sandbox.client(CLIENT)
    with gateway(sandbox.port) as origin, httpx2.Client(base_url=origin + PREFIX) as http:
        through = {**client, "token_endpoint": f"{origin}{PREFIX}/oauth/token"}
        token = fetch_token(through, http=http)
        headers = shown(client, token, "GET", PATH)
        assert http.get(PATH, headers=headers).status_code == 200
        for url in (origin + PREFIX + PATH, origin + PATH, client["issuer"] + PREFIX + PATH):
            proof = make_proof(client["dpop_private_jwk"], "GET", url, token=token)
            answer = http.get(PATH, headers={**headers, "DPoP": proof})
            assert answer.status_code == 401, url
        told = http.get("/.well-known/oauth-authorization-server").json()
        assert told["issuer"] == client["issuer"]
        assert told["token_endpoint"] == f"{client['issuer']}/oauth/token"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A sandbox that may be hurt; its keys are in a module behind PKCS#11."""
    uri = module(tmp_path_factory.mktemp("module"))
    with running_sandbox(DTSEN_KEY_URI=uri) as one:
        yield one


def server_of(one) -> int:
    """The process of `dtsen serve`."""
    (found,) = (pid for pid, line in children(one.process.pid).items() if line[-1] == "serve")
    return found


def test_killed_workers_leave_every_mark_behind(own):
    client = own.client(CLIENT)
    token = fetch_token(client, http=own.http)
    used = shown(client, token, "GET", PATH)
    revoked = fetch_token(client, http=own.http)
    assert own.http.get(PATH, headers=used).status_code == 200
    form = authenticated(client, token=revoked)
    assert own.http.post("/oauth/revoke", data=form).status_code == 200
    server = server_of(own)
    before = set(workers(server))
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(workers(server)) - before) == 2, what="new workers")
    until(lambda: ready(own), what="an answer")
    for _ in range(6):
        with httpx2.Client(base_url=own.http.base_url, timeout=30) as http:
            assert http.get(PATH, headers=used).status_code == 401
            assert call(client, revoked, "GET", PATH, http=http).status_code == 401
            assert call(client, token, "GET", PATH, http=http).status_code == 200


def test_every_key_of_theirs_is_in_the_module(own):
    assert {path.name for path in (own.home / "keys").iterdir()} == {".making", "SANDBOX"}


def ready(one) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{one.port}/readyz").status_code == 200
    except httpx2.HTTPError:
        return False
