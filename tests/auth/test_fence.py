"""After a failover, which may have lost marks, nothing is taken that may have been used before it.

A real one is tried in `tests/faults/test_failover.py`; here the fence alone is moved.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from auth.dpop import Target
from auth.nonces import Nonces
from auth.possession import Possession
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.disclosure.authority import Authority
from dtsen.errors import ProofRefused, Unavailable
from dtsen.keys import Keyring, Purpose
from tests.auth.make import Client, Server, assertion, keyring, refused, register
from tests.auth.prove import TOKEN_URL, proof
from tests.auth.test_dpop_tokens import ask

SET = """
UPDATE disclosure.timeline SET fence = clock_timestamp() + %s * interval '1 s'
WHERE id = disclosure.current_timeline()
"""
RESTORE = """
INSERT INTO disclosure.timeline (id, fence) VALUES (disclosure.current_timeline(), 'epoch')
ON CONFLICT ON CONSTRAINT pk_timeline DO UPDATE SET fence = excluded.fence
"""


@contextmanager
def fenced(urls: DatabaseUrls, seconds: float | None) -> Iterator[None]:
    """A fence so many seconds from now; None: this timeline was never seen."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        try:
            if seconds is None:
                connection.execute("DELETE FROM disclosure.timeline")
            else:
                connection.execute(SET, (seconds,))
            yield
        finally:
            connection.execute(RESTORE)


@pytest.fixture
def client(database: DatabaseUrls) -> Client:
    return register(database, binding="dpop")


def late() -> float:
    """An end that would have been too far ahead a second ago."""
    return datetime.now(UTC).timestamp() + 599


@pytest.mark.parametrize(("seconds", "wait"), [(5, 65), (0, 60), (-50, 10), (None, 1)])
def test_an_assertion_that_may_have_been_used_is_not_taken(
    server: Server, database: DatabaseUrls, client: Client, seconds: float | None, wait: int
) -> None:
    text = assertion(client)
    with fenced(database, seconds):
        answer = ask(server, client, proof(), text=text)
        assert refused(answer, "temporarily_unavailable", 503)
        assert wait - 2 <= int(answer.headers["retry-after"]) <= wait
    assert ask(server, client, proof(), text=text).status_code == 200, "nothing was used up"


def test_one_that_cannot_have_been_used_is_taken(
    server: Server, database: DatabaseUrls, client: Client
) -> None:
    with fenced(database, -65):
        assert ask(server, client, proof()).status_code == 200
    with fenced(database, -31):
        fresh = assertion(client, iat=None, exp=late())
        assert ask(server, client, proof(), text=fresh).status_code == 200
        assert refused(ask(server, client, proof(), text=fresh), "invalid_client")


def test_a_nonce_of_now_tells_a_new_proof_apart(
    server: Server, database: DatabaseUrls, client: Client
) -> None:
    with fenced(database, -2):
        told = ask(server, client, proof(), text=assertion(client, iat=None, exp=late()))
        assert refused(told, "use_dpop_nonce")
        again = proof(nonce=told.headers["dpop-nonce"])
        shown = ask(server, client, again, text=assertion(client, iat=None, exp=late()))
        assert shown.status_code == 200
        twice = ask(server, client, again, text=assertion(client, iat=None, exp=late()))
        assert refused(twice, "invalid_dpop_proof")


def test_who_first_sees_a_new_timeline_sets_its_fence(database: DatabaseUrls) -> None:
    async def work() -> None:
        async with await open_pool(database.api, name="t", size=2) as pool:
            clock = Clock()
            one, two = Authority(pool, clock), Authority(pool, clock)
            before = await one.refresh()
            with fenced(database, None):
                first, second = await one.refresh(), await two.refresh()
            assert before.fence < first.fence == second.fence
            assert 4 < (first.fence - clock.now()).total_seconds() <= 5

    asyncio.run(work())


def test_a_worker_says_when_it_cannot_tell_and_how_to_show_it(keys: Keyring) -> None:
    clock = Clock()
    possession = Possession("https://x", clock, Nonces(keys))
    ahead = possession.behind(datetime.fromtimestamp(clock.now().timestamp() + 1, UTC))
    assert isinstance(ahead, Unavailable)
    asked = possession.behind(clock.now())
    assert isinstance(asked, ProofRefused)
    assert 'error="use_dpop_nonce"' in asked.headers["WWW-Authenticate"]
    assert asked.headers["DPoP-Nonce"]
    assert possession.nonce() is None


def test_a_worker_knows_nonces_made_by_a_key_that_is_newer_than_it(tmp_path: Path) -> None:
    made, clock = keyring(tmp_path), Clock()
    target = Target("POST", TOKEN_URL)
    old = Nonces(made, wanted=True)
    first = old.make(clock.now())
    made.rotate(Purpose.NONCES, clock.now())
    old._looked_at = float("-inf")  # a second later
    for nonce in (Nonces(made, wanted=True).make(clock.now()), first):
        shown = proof(nonce=nonce).encode()
        assert old.prove([shown], target, clock.now())
