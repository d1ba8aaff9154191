"""`dtsen serve` and `dtsen migrate`."""

import socket
import sys
from contextlib import ExitStack

import uvicorn

from api.metrics import metrics_page, numbers_folder
from api.telemetry import SPOKEN
from api.worker import server_config
from cli.context import database, fail, settings
from cli.migrating import migrate_recorded
from cli.supervisor import Supervisor
from dtsen.doctor import Patient, unfit_for_production
from dtsen.embedded import running
from dtsen.settings import Settings
from dtsen.telemetry import TelemetryError, configure_logs, signals

APPLICATION = "api.asgi:create"
"""The factory that each worker calls."""
BACKLOG = 2048


def migrate() -> None:
    """Bring the database's schema to the newest revision and give each login its rights."""
    with database() as urls:
        migrate_recorded(urls)


def serve() -> None:
    """Serve the API and the authorization server until interrupted."""
    chosen = settings()
    refuse_unfit(chosen)
    if running(chosen) is None:
        fail("No PostgreSQL runs here; start it with `make run` or `dtsen demo`")
    sockets = listen(chosen.host, chosen.port)
    with ExitStack() as stack:
        tell_metrics(stack, chosen)
        if chosen.workers > 1:
            sys.exit(Supervisor(APPLICATION, sockets, chosen.workers).run())
        server = uvicorn.Server(server_config(APPLICATION, 1))
        server.run(sockets=sockets)
        sys.exit(0 if server.started else 1)


def tell_metrics(stack: ExitStack, chosen: Settings) -> None:
    """Log safely and serve the metrics page from here on; end the command where that cannot be."""
    try:
        signals()
        stack.enter_context(metrics_page(numbers_folder(chosen), chosen.metrics_port))
    except TelemetryError as error:
        fail(str(error))
    except OSError as error:
        fail(f"no metrics on port {chosen.metrics_port}: {error.strerror} (DTSEN_METRICS_PORT)")
    configure_logs(spoken=SPOKEN)


def refuse_unfit(chosen: Settings) -> None:
    """End the command where a production server would be unsafe (contract 2)."""
    if chosen.profile != "production":
        return
    with database() as urls:
        unfit = unfit_for_production(Patient(chosen, urls))
    if unfit:
        fail("\n".join(f"{one.check}: {one.trouble}; {one.remedy}" for one in unfit))


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets: for `localhost` both 127.0.0.1 and, where it exists, ::1."""
    addresses = ["127.0.0.1", "::1"] if host == "localhost" else [host]
    made: list[socket.socket] = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            listener.close()
            if address == "::1" and made:
                continue
            fail(f"cannot listen on {address} port {port}: {error.strerror}")
        listener.listen(BACKLOG)
        listener.set_inheritable(True)
        made.append(listener)
    return made
