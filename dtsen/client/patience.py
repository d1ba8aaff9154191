"""How often and how long a call is repeated: bounded, jittered, never earlier than told."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx2

from dtsen.client.errors import CallFailed, Unreachable

T = TypeVar("T")

PASSING = frozenset({429, 502, 503, 504})
"""Statuses after which the same call may be answered later."""


@dataclass(frozen=True, slots=True)
class Patience:
    """At most so many tries, and no wait that would end after so many seconds."""

    tries: int = 6
    seconds: float = 60.0
    first_wait: float = 0.5

    def wait(self, failed: int, told: float | None, spent: float) -> float | None:
        """Seconds to wait after so many failures in `spent` seconds; None to give up.

        What a server tells (`Retry-After`) is kept to and stretched by up to a tenth, and at most
        5 s, so that clients which were refused together do not come back together.
        """
        if failed >= self.tries:
            return None
        chance = random.random()  # noqa: S311 - spreads load, keeps no secret
        if told is None:
            wait = self.first_wait * 2 ** (failed - 1) * (0.5 + chance)
        else:
            wait = told + chance * min(0.1 * told + 0.05, 5.0)
        return wait if spent + wait <= self.seconds else None


ONCE = Patience(tries=1)
"""No repetition."""


def patiently(ask: Callable[[], T], patience: Patience) -> T:
    """What `ask` brings, asked again where that may help.

    Raises:
        Unreachable: no answer came to any try, or the server is not one to trust.
        CallFailed: whatever else `ask` raised last.
    """
    began = time.monotonic()
    failed = 0
    while True:
        try:
            return ask()
        except CallFailed as error:
            failure = error
            told, again = error.retry_after, error.status in PASSING
        except httpx2.HTTPError as error:
            failure, again = _silence(error)
            told = None
        failed += 1
        wait = patience.wait(failed, told, time.monotonic() - began) if again else None
        if wait is None:
            # Outside the handler: what is raised leads neither to the request nor to its body.
            raise failure
        time.sleep(wait)


def _silence(error: httpx2.HTTPError) -> tuple[CallFailed, bool]:
    """What to say of a try without an answer, and whether another may have one."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Unreachable("the server's certificate is not one to trust"), False
    return Unreachable(f"no answer: {type(error).__name__}"), True
