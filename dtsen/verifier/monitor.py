"""Following a log for as long as wanted, and raising the alarm when it misbehaves."""

from collections.abc import Callable
from threading import Event

from dtsen.verifier.faults import Stalled, Unreachable
from dtsen.verifier.verification import Verified


def follow(
    step: Callable[[], Verified],
    *,
    seconds: float,
    stall: float,
    monotonic: Callable[[], float],
    stop: Event,
    told: Callable[[Verified], None],
) -> None:
    """Verify what is new every so many seconds until `stop` is set.

    A log that neither grows nor is seen anew by a witness for `stall` seconds is taken for stalled,
    and so is one that cannot be reached.

    Raises:
        Stalled: it did not move for too long.
        LogFault: it is wrong (`Forked` and `Shrunk` among others).
    """
    moved, last = monotonic(), (-1, 0)
    while not stop.is_set():
        why = "it has not grown"
        try:
            verified = step()
        except Unreachable as error:
            why = f"it cannot be reached: {error}"
        else:
            now = (verified.checkpoint.size, verified.seen)
            if now != last:
                moved, last = monotonic(), now
                told(verified)
        if monotonic() - moved > stall:
            raise Stalled(f"{why}, for more than {stall:.0f} s")
        stop.wait(seconds)
