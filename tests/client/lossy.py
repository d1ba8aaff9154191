"""A network that loses answers: what was asked arrives and is done, and nobody hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Network(ThreadingHTTPServer):
    """Between clients and the server at a port."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Carrier)
        self.to = port
        self.port = self.server_port
        self.lose = 0
        """Answers yet to be lost."""
        self.seen: list[dict[str, str]] = []
        """The headers of each request that arrived."""


class Carrier(BaseHTTPRequestHandler):
    """Carries one connection."""

    protocol_version = "HTTP/1.1"
    server: Network

    def carry(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(dict(self.headers))
        inner = HTTPConnection("127.0.0.1", self.server.to, timeout=30)
        inner.request(self.command, self.path, body, dict(self.headers))
        answer = inner.getresponse()
        content = answer.read()
        inner.close()
        if self.server.lose:
            self.server.lose -= 1
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = carry  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def network(port: int) -> Iterator[Network]:
    """A network until the block ends."""
    with Network(port) as one:
        thread = Thread(target=one.serve_forever)
        thread.start()
        try:
            yield one
        finally:
            one.shutdown()
            thread.join()
