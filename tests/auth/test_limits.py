"""Bursts in memory, and how limits are announced."""

import threading
from types import SimpleNamespace
from typing import Any

import http_sf
import pytest
from starlette.requests import Request

from auth.limits import AgencyLimiter, LimitState, address, ratelimit_headers


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of the limiter, which a test moves."""
    hand = SimpleNamespace(at=1_000.0)
    monkeypatch.setattr("auth.limits.time", SimpleNamespace(monotonic=lambda: hand.at))
    return hand


def test_a_rate_allows_its_number_and_then_none(hand: SimpleNamespace) -> None:
    limiter = AgencyLimiter()
    hits = [limiter.hit("3/second", "burst", "a") for _ in range(5)]
    assert [hit.allowed for hit in hits] == [True, True, True, False, False]
    assert [hit.remaining for hit in hits] == [2, 1, 0, 0, 0]
    assert hits[-1].reset_after == pytest.approx(1)
    hand.at += 1.01
    assert limiter.hit("3/second", "burst", "a").allowed


def test_each_key_has_a_limit_of_its_own() -> None:
    limiter = AgencyLimiter()
    assert limiter.hit("1/minute", "burst", "a").allowed
    assert limiter.hit("1/minute", "burst", "b").allowed
    assert not limiter.hit("1/minute", "burst", "a").allowed


def test_a_parsed_rate_and_its_text_are_the_same_limit() -> None:
    limiter = AgencyLimiter()
    assert limiter.hit("1/minute", "a").allowed
    assert not limiter.hit("1/minute", "a").allowed


def test_a_denied_request_burns_no_other_window(hand: SimpleNamespace) -> None:
    limiter = AgencyLimiter()
    rate = "2/second;5/minute"
    assert [limiter.hit(rate, "a").allowed for _ in range(6)] == [True] * 2 + [False] * 4
    hand.at += 1.01
    assert [limiter.hit(rate, "a").allowed for _ in range(3)] == [True, True, False]
    hand.at += 1.01
    last = [limiter.hit(rate, "a") for _ in range(2)]
    assert [hit.allowed for hit in last] == [True, False], "the minute allows five"
    assert last[-1].reset_after > 50, "it is the minute that denies"


@pytest.mark.parametrize("keys", [(), ("",), ("burst", "")])
def test_an_empty_key_is_an_error_never_no_limit(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not empty"):
        AgencyLimiter().hit("1/second", *keys)


def test_hits_start_no_thread() -> None:
    limiter = AgencyLimiter()
    before = set(threading.enumerate())
    for number in range(50):
        limiter.hit("1000/second", "a", str(number))
    assert set(threading.enumerate()) <= before


def test_callers_that_do_not_return_are_forgotten(hand: SimpleNamespace) -> None:
    limiter = AgencyLimiter()
    for number in range(100):
        limiter.hit("5/second", str(number))
    hand.at += 61
    limiter.hit("5/second", "late")
    assert len(limiter._storage.expirations) == 1


def test_an_env_file_that_lies_around_decides_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("RATELIMIT_STRATEGY=moving-window\nRATELIMIT_ENABLED=false\n")
    monkeypatch.chdir(tmp_path)
    limiter = AgencyLimiter()
    assert limiter.enabled
    limiter.hit("1/minute", "a")
    assert not limiter.hit("1/minute", "a").allowed


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::"),
        ("testclient", "testclient"),
        (None, "local"),
        ("", "local"),
    ],
)
def test_an_address_is_an_ipv4_address_or_an_ipv6_network(
    host: str | None, counted_as: str
) -> None:
    client = None if host is None else (host, 1)
    assert address(Request({"type": "http", "client": client, "headers": []})) == counted_as


STATES = [
    LimitState("burst", 20, 1, 19, 0.4),
    LimitState("people-day", 50_000, 86_400, 312, 51_234.2, "people"),
]


def test_limits_are_announced_as_the_draft_writes_them() -> None:
    assert ratelimit_headers(STATES) == [
        (b"ratelimit-policy", b'"burst";q=20;w=1, "people-day";q=50000;w=86400;qu="people"'),
        (b"ratelimit", b'"burst";r=19;t=1, "people-day";r=312;t=51235'),
    ]
    assert ratelimit_headers([]) == []


def test_announced_limits_are_structured_fields() -> None:
    policy, left = (value for _, value in ratelimit_headers(STATES))
    policies = http_sf.parse(policy, tltype="list")
    assert [(name, dict(rest)) for name, rest in policies] == [
        ("burst", {"q": 20, "w": 1}),
        ("people-day", {"q": 50_000, "w": 86_400, "qu": "people"}),
    ]
    assert [(name, dict(rest)) for name, rest in http_sf.parse(left, tltype="list")] == [
        ("burst", {"r": 19, "t": 1}),
        ("people-day", {"r": 312, "t": 51_235}),
    ]


def test_nobody_waits_for_a_wall_clock_that_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_795_000_000.0)
    limiter = AgencyLimiter()
    assert [limiter.hit("1/second", "a").allowed for _ in range(2)] == [True, False]
    monkeypatch.setattr("time.time", lambda: 1_795_000_000.0 - 3600)
    threading.Event().wait(1.05)
    assert limiter.hit("1/second", "a").allowed
