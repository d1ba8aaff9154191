"""The metrics page: on loopback, of its own port, in the process that starts the workers."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dtsen.settings import Settings
from dtsen.telemetry import MEDIA_TYPE, Totals

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
PATH = "/metrics"
READ_SECONDS = 5


def numbers_folder(settings: Settings) -> Path:
    """Where the workers of these settings keep their numbers; whoever has the port, has it."""
    return settings.home / "metrics" / str(settings.metrics_port)


@contextmanager
def metrics_page(folder: Path, port: int) -> Iterator[None]:
    """Serve the page while the block lasts; enter it before any worker starts.

    Raises:
        OSError: the port is taken.
    """
    with _Server((ADDRESS, port), _Page) as server:
        # The port is ours, and with it the folder.
        server.totals = Totals(folder)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    totals: Totals

    def handle_error(self, *_: object) -> None:
        """Say which class of error; the base class would print its text and an address."""
        log.warning("the metrics page could not be sent: %s", sys.exc_info()[0])


class _Page(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_SECONDS
    server_version = "dtsen"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the page."""
        if self.path != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = self.server.totals.page().encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", MEDIA_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the base class would log addresses and paths."""
