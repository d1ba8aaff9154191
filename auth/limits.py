"""Bursts: how many requests a second, in this worker's memory; and how limits are announced.

On slowapi's Limiter, but without its middleware, decorator and headers, none of which reaches
routes of included routers. Budgets of a day or month are no bursts: see `auth.budgets`.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from operator import itemgetter
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple, cast

import slowapi
from limits import parse_many
from limits.storage import MemoryStorage
from starlette.requests import Request

SWEEP_SECONDS = 60


class Hit(NamedTuple):
    """What one request met: `remaining` requests of the tightest window, seconds to its reset."""

    allowed: bool
    remaining: int
    reset_after: float


class AgencyLimiter(slowapi.Limiter):
    """Fixed windows counted in this worker's memory."""

    def __init__(self) -> None:
        super().__init__(
            key_func=address,
            storage_uri=f"{Windows.STORAGE_SCHEME[0]}://",
            strategy="fixed-window",
            key_style="endpoint",
            headers_enabled=False,
            config_filename=str(Path(__file__).with_name("slowapi.env")),
        )
        self._memory = cast("Windows", self._storage)
        self._sweep_at = 0.0

    def hit(self, rate: str, *keys: str) -> Hit:
        """Count one request against every window of a rate (`20/second;1000/hour`), or none.

        Raises:
            ValueError: a key is empty; slowapi would then not limit at all.
        """
        if not keys or not all(keys):
            raise ValueError("a limit needs keys that are not empty")
        if time.monotonic() >= self._sweep_at:
            self._sweep()
        # The storage itself, twice as fast as the strategy above it.
        memory = self._memory
        counters = _counters(rate, keys)
        allowed = all(memory.used(key) < amount for amount, _, key in counters)
        left = []
        for amount, seconds, key in counters:
            used = memory.count(key, seconds) if allowed else memory.used(key)
            left.append((amount - used, -memory.ends(key)))
        remaining, reset = min(left)
        return Hit(allowed, remaining, max(0.0, -reset - time.monotonic()))

    def _sweep(self) -> None:
        """Forget the windows of callers that did not come back."""
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        for key in list(self._memory.expirations):
            self._memory.used(key)


class Windows(MemoryStorage):
    """Windows by the monotonic clock, for one thread.

    The storage of `limits` goes by the wall clock: where that is set back by an hour, a window that
    was full a moment before stays so for an hour.
    """

    STORAGE_SCHEME = ["windows"]  # noqa: RUF012 - as `limits` declares it

    def __init__(self, uri: str | None = None, **how: Any) -> None:  # noqa: ANN401 - as above it
        super().__init__(uri, **how)
        self.timer = NoThread()

    def used(self, key: str) -> int:
        """What a window has counted."""
        if self.expirations.get(key, 0.0) <= time.monotonic():
            self.clear(key)
        return self.storage.get(key, 0)

    def count(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count in a window; one that begins now lasts `expiry` seconds."""
        counted = self.used(key) + amount
        if counted == amount:
            self.expirations[key] = time.monotonic() + expiry
        self.storage[key] = counted
        return counted

    def ends(self, key: str) -> float:
        """When a window ends, by the monotonic clock."""
        return self.expirations.get(key, time.monotonic())

    get, incr, get_expiry = used, count, ends
    """As `limits` names them, which wraps what has these names in a call more."""


class NoThread(Timer):
    """Stands where `limits` keeps the thread that it starts anew every 10 ms to forget old windows.

    Such a start stops the event loop for 150 us (p99 of a hit; 7 us without), so we sweep
    ourselves.
    """

    def __init__(self) -> None:
        super().__init__(0, list)

    def is_alive(self) -> bool:
        """Whether the sweeping is taken care of; it is."""
        return True


@lru_cache(maxsize=4096)
def _counters(rate: str, keys: tuple[str, ...]) -> tuple[tuple[int, int, str], ...]:
    """Of each window how many requests, for how many seconds, and its key."""
    return tuple(
        (window.amount, window.get_expiry(), window.key_for(*keys)) for window in parse_many(rate)
    )


def address(request: Request) -> str:
    """Whom an unauthenticated request is counted for: an IPv4 address or an IPv6 /64."""
    if request.client is None:
        return "local"
    try:
        found = ip_address(request.client.host)
    except ValueError:
        return request.client.host or "local"
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """Limits of each endpoint of the authorization server before anybody is authenticated.

    One address alone must not use up what a client has: whoever knows a client's id could lock it
    out, so an address may do half of it. `per_revoker`: tokens that a client may revoke; each may
    cost all workers a look at authority.
    """

    limiter: AgencyLimiter
    per_address: str = "600/minute"
    per_client: str = "1200/minute"
    per_revoker: str = "120/minute"


class LimitState(NamedTuple):
    """One limit as it is announced: `quota` in `window` seconds, what is left, when it ends."""

    name: str
    quota: int
    window: int
    remaining: int
    reset_after: float
    unit: str = "requests"


_POLICY = itemgetter(0, 1, 2, 5)


def ratelimit_headers(states: Iterable[LimitState]) -> list[tuple[bytes, bytes]]:
    """`RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers."""
    told = tuple(states)
    if not told:
        return []
    policies = _policies(tuple(map(_POLICY, told)))
    left = ", ".join(
        [f'"{name}";r={max(0, left)};t={ceil(reset)}' for name, _, _, left, reset, _ in told]
    )
    return [(b"ratelimit-policy", policies), (b"ratelimit", left.encode())]


@lru_cache(maxsize=4096)
def _policies(limits: tuple[tuple[str, int, int, str], ...]) -> bytes:
    """Policies change only with an agreement; units other than requests are named."""
    return ", ".join(
        f'"{name}";q={quota};w={window}' + ("" if unit == "requests" else f';qu="{unit}"')
        for name, quota, window, unit in limits
    ).encode()
