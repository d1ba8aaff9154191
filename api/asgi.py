"""What a server process imports: the application over this process's settings."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

from fastapi import FastAPI

from api.app import create_app
from dtsen.settings import read_settings


def create() -> FastAPI:
    """Build the application of this worker, which ends with the supervisor that started it."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_end_after, args=(supervisor,), daemon=True).start()
    return create_app(read_settings())


def _end_after(supervisor: BaseProcess) -> None:
    """Answer what is in flight and end, once the supervisor is gone, however it went.

    An orphan would go on serving with nobody to stop it, and keep the port from the next start.
    """
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
