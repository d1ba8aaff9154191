"""One server process: how it serves, and the beats by which its supervisor knows that it lives."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

import uvicorn

DRAIN_SECONDS = 20
"""How long requests in flight may take once the server has begun to end."""
BEAT_TICKS = 10
"""A beat a second: uvicorn's loop ticks ten times in one."""


def server_config(application: str, workers: int) -> uvicorn.Config:
    """How uvicorn serves the application that a factory makes (`module:name`)."""
    return uvicorn.Config(
        application,
        factory=True,
        workers=workers,
        loop="uvloop",
        http="api.protocol:Protocol",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


class BeatingServer(uvicorn.Server):
    """A server that says, from within its event loop, that it is not stuck."""

    def __init__(self, config: uvicorn.Config, beats: Connection) -> None:
        super().__init__(config)
        self._beats = beats.fileno()
        os.set_blocking(self._beats, False)

    async def on_tick(self, counter: int) -> bool:
        """Beat; a supervisor that does not listen any more is no reason to stop."""
        if counter % BEAT_TICKS == 0:
            with suppress(OSError):
                os.write(self._beats, b".")
        return await super().on_tick(counter)


def work(
    application: str, workers: int, sockets: Sequence[socket.socket], beats: Connection
) -> None:
    """Serve until asked to end: what a worker's process runs."""
    BeatingServer(server_config(application, workers), beats).run(sockets=list(sockets))
