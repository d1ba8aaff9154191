"""Standing back: a load takes what processor time lookups leave, as far as this machine lets it.

PostgreSQL has no priorities of its own. Where its server runs beside us, the processes that serve a
load are told apart by our own end of the connection, which stands in their titles, and made to give
way; elsewhere, or where we may not, nothing happens. Where nothing else is to be done it costs
nothing.
"""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

import psycopg

COURTESY = 10
"""As nice(1) counts: a tenth of the weight of what is not nice, where both want the processor."""
_ALONE = "SET max_parallel_maintenance_workers = 0"
"""Helpers that PostgreSQL starts for an index would not stand back."""


def stand_back(session: psycopg.Connection) -> None:
    """Let the process that serves a session give way, and have it work alone."""
    with suppress(OSError), socket.socket(fileno=os.dup(session.fileno())) as ours:
        if ours.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        process = session.info.backend_pid
        title = Path(f"/proc/{process}/cmdline").read_text()
        if title.startswith("postgres:") and f"({ours.getsockname()[1]})" in title:
            _give_way(process)
            session.execute(_ALONE)


def stand_back_here() -> None:
    """Let this thread give way, and what it starts."""
    with suppress(OSError):
        _give_way(threading.get_native_id())


def _give_way(process: int) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, process)
    os.setpriority(os.PRIO_PROCESS, process, max(usual, COURTESY))
