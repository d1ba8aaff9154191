"""`dtsen audit verify --follow`: a monitor of its own, which ends with an alarm."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

from cryptography.x509 import Certificate

from cli.context import out
from cli.logs import Logs, bundles_of
from cli.verifying import stamped_in
from dtsen.clock import Clock
from dtsen.tlog.policy import NONE
from dtsen.verifier.memory import Memory
from dtsen.verifier.monitor import follow
from dtsen.verifier.timestamps import NONE as UNSTAMPED, Stamped
from dtsen.verifier.verification import Trust, Verified, verify
from dtsen.verifier.watching import Watch


class Ages(NamedTuple):
    """After how many seconds to raise the alarm."""

    stall: float
    """Of a log that neither grows nor is seen by a witness."""
    stamp: float
    """Of growth without a timestamp, where an authority is known."""
    witness: float | None
    """Of signatures of witnesses, where a policy asks for some; None: as `stall`."""


def follow_logs(
    logs: Logs,
    memory: Memory,
    trust: Trust,
    authority: Sequence[Certificate] | None,
    *,
    client: Path | None,
    every: float,
    ages: Ages,
) -> None:
    """Verify what is new of each log, its timestamps and witnesses too, until interrupted.

    Raises:
        LogFault: something is wrong; `Stalled` where it is late.
    """
    stop, clock = Event(), Clock()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    asks = trust.policy.quorum != NONE
    watch = Watch(
        trust.policy,
        time.monotonic,
        stamp_age=ages.stamp if authority else None,
        witness_age=(ages.witness or ages.stall) if asks else None,
    )
    judged: dict[str, Stamped] = {}

    def step() -> Verified:
        for log in logs():
            entries = bundles_of(log, client)
            verified = verify(log, memory, trust, entries=entries, only_new=True)
            origin = verified.checkpoint.origin
            before = judged.get(origin, UNSTAMPED)
            judged[origin] = stamped_in(log, verified, memory, authority, before)
        # Only the newest log still grows.
        watch.judge(verified, judged[origin], clock.now())
        return verified

    def told(verified: Verified) -> None:
        out.print(f"{verified.checkpoint.origin}: {verified.checkpoint.size} entries, as promised")

    follow(step, seconds=every, stall=ages.stall, monotonic=time.monotonic, stop=stop, told=told)
