"""What a monitor holds against the clock: that growth is stamped, that witnesses signed lately."""

from collections.abc import Callable
from datetime import datetime, timedelta

from dtsen.tlog.policy import Policy
from dtsen.verifier.faults import LogFault, Stalled
from dtsen.verifier.timestamps import Stamped
from dtsen.verifier.verification import Verified

AHEAD = timedelta(minutes=5)
"""How far a witness's clock may be before ours."""


class Watch:
    """Judges one log at each look. Ages are in seconds; None: not judged."""

    def __init__(
        self,
        policy: Policy,
        monotonic: Callable[[], float],
        *,
        stamp_age: float | None,
        witness_age: float | None,
    ) -> None:
        """Take whose signatures are enough, and how old they and a timestamp may be."""
        self._policy = policy
        self._monotonic = monotonic
        self._stamp_age = stamp_age
        self._witness_age = witness_age
        self._unstamped: tuple[int, float] | None = None
        """The largest size stamped, and when the log was first seen to be beyond it."""

    def judge(self, verified: Verified, stamped: Stamped, now: datetime) -> None:
        """Look at a log that was just verified, with its timestamps.

        Raises:
            Stalled: it is stamped, or was signed by enough witnesses, too long ago.
            LogFault: a witness signed in the future.
        """
        self._judge_stamps(verified, stamped)
        if self._witness_age is not None:
            self._judge_witnesses(verified, now, timedelta(seconds=self._witness_age))

    def _judge_stamps(self, verified: Verified, stamped: Stamped) -> None:
        if self._stamp_age is None or stamped.size >= verified.checkpoint.size:
            self._unstamped = None
            return
        if self._unstamped is None or self._unstamped[0] != stamped.size:
            self._unstamped = stamped.size, self._monotonic()
        if self._monotonic() - self._unstamped[1] > self._stamp_age:
            raise Stalled(
                f"no timestamp beyond entry {stamped.size}, for more than {self._stamp_age:.0f} s"
            )

    def _judge_witnesses(self, verified: Verified, now: datetime, most: timedelta) -> None:
        times = {
            one: datetime.fromtimestamp(at, now.tzinfo) for one, at in verified.cosigned.items()
        }
        early = sorted(one.name for one, at in times.items() if at > now + AHEAD)
        if early:
            raise LogFault(f"witness {early[0]} signed in the future")
        if not self._policy.satisfied({one for one, at in times.items() if now - at <= most}):
            raise Stalled(
                f"not enough witnesses signed it within the last {most.total_seconds():.0f} s"
            )
