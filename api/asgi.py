"""What a server process imports: the application over this process's settings."""

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

from starlette.types import ASGIApp

from api.app import create_app
from api.shortcut import Shortcut
from api.telemetry import SPOKEN
from auth.hops import Hops
from dtsen.settings import read_settings
from dtsen.telemetry import configure_logs

REQUESTS_WORTH = 10_000
"""New objects between two collections: those of a few batches of requests."""


def create() -> ASGIApp:
    """Build the application of this worker, which ends with the supervisor that started it."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_end_after, args=(supervisor,), daemon=True).start()
    configure_logs(spoken=SPOKEN)
    settings = read_settings()
    app: ASGIApp = Shortcut(create_app(settings))
    if settings.tls_hops:
        app = Hops(app, settings.tls_hops)
    _settle()
    return app


def _settle() -> None:
    """Spare requests the walk over what lives as long as the worker.

    A full collection walks some 140,000 objects of modules and routes for nothing, for a tenth of a
    second in which nobody is answered; frozen, they are not looked at again. What requests in
    flight hold is no garbage yet either: collecting seldom finds more of it dead.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(REQUESTS_WORTH)


def _end_after(supervisor: BaseProcess) -> None:
    """Answer what is in flight and end, once the supervisor is gone, however it went.

    An orphan would go on serving with nobody to stop it, and keep the port from the next start.
    """
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
