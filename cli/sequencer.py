"""`dtsen sequencer`: the process that takes records up into the log's index."""

import signal
from threading import Event
from types import FrameType

from cli.context import database, keyring
from dtsen.audit.sequencer import Sequencer
from dtsen.clock import Clock


def sequencer() -> None:
    """Index new access records until interrupted; a second one waits until the first has ended."""
    stop = Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with database() as urls:
        Sequencer(urls.sequencer, keyring(), Clock()).run(stop)
