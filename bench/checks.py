"""What each check of a request costs, by itself: microseconds of this process, or of a round trip.

No HTTP. What needs a database (marks, a lease, a charge that draws) asks a real one and waits for
its commit. Run as `python -m bench.checks`.
"""

import asyncio
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from json import dumps, loads
from statistics import median
from typing import Any, TypeVar
from urllib.parse import quote

import asyncpg
import typer
from joserfc import jws
from joserfc.jwk import Key

from auth.assertions import REGISTRY, check_claims, verify_signature
from auth.budgets import Budgets
from auth.certificates import read_forwarded
from auth.dpop import Target, read_proof, target_url
from auth.leases import Line
from auth.limits import AgencyLimiter
from auth.nonces import Nonces
from auth.tokens import TokenSigner, TokenVerifier
from bench.choices import HOME, Home, People, Rounds
from bench.installation import Installation, installation
from bench.results import Result, publish
from cli.certificates import self_signed
from cli.client_file import Algorithm, make_key
from cli.context import keyring, settings
from dtsen.clock import Clock
from dtsen.database import open_pool

T = TypeVar("T")

SAMPLES = 400
OFTEN = range(SAMPLES)
TOKEN = bytes(32)
"""SHA-256 of a token, as far as a proof cares."""
COMMITS = 200
PATH = "/v1/individuals/lookup"
MARK = """
INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
SELECT 'dpop', $1, $2, $3 WHERE $4::timestamptz >= (SELECT disclosure.fence())
ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING
"""


def measure(found: Installation, rounds: int) -> Result:
    """Every check in turn, in so many rounds; the median of the rounds' medians."""
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, cost in (*_pure(), *asyncio.run(_asking(found.urls.api))):
            taken.setdefault(name, []).append(cost)
    facts = {f"{name} (µs)": round(median(costs), 1) for name, costs in taken.items()}
    parameters = {"rounds": rounds, "samples": SAMPLES, "commits": COMMITS}
    return Result("checks", "What each check costs", parameters, {}, [], facts)


def _pure() -> Iterator[tuple[str, float]]:
    """What waits for nobody."""
    clock, ring, issuer = Clock(), keyring(), settings().issuer
    for algorithm in Algorithm:
        key = make_key(algorithm)
        assertions = [_assertion(key, issuer) for _ in range(SAMPLES)]
        yield f"assertion, {algorithm}", _each(assertions, partial(_held, key=key, issuer=issuer))
        proofs = [_proof(key, issuer) for _ in range(SAMPLES)]
        yield f"DPoP proof, {algorithm}", _each(proofs, partial(_proven, issuer=issuer))
    signer, scope = TokenSigner(ring, issuer, clock), "individuals:read"
    yield "token, signed", _each(OFTEN, lambda _: signer.sign("client", scope))
    verifier = TokenVerifier(ring, issuer, clock)
    tokens = [signer.sign("client", scope)[0] for _ in range(SAMPLES)]
    yield "token, seen first", _each(tokens, verifier.verify)
    yield "token, seen before", _each(tokens, verifier.verify)
    nonces = Nonces(ring)
    yield "nonce, made", _each(OFTEN, lambda _: nonces.make(clock.now()))
    shown = [quote(self_signed("bench").certificate, safe="").encode()] * SAMPLES
    yield "certificate, seen first", _each(shown, read_forwarded.__wrapped__)
    yield "certificate, seen before", _each(shown, read_forwarded)
    limiter = AgencyLimiter()
    yield "burst", _each(OFTEN, lambda _: limiter.hit("100000/second", "burst", "agency"))


async def _asking(url: str) -> list[tuple[str, float]]:
    """What is durable when it is done, one at a time; and a charge that a lease covers."""
    clock, numbers = Clock(), count()
    async with await open_pool(url, name="bench", size=2) as pool:
        mark = partial(_mark, pool, clock)
        told = [("mark of a proof, committed", await _each_awaited(mark, COMMITS))]
        budgets = Budgets(pool, clock)
        lines = {Line(f"bench:{secrets.token_hex(8)}", "day", "people-day"): 10**12}

        async def charge() -> None:
            await budgets.charge("bench", "people", lines, 1)

        await charge()
        told.append(("charge, in a lease", await _each_awaited(charge, SAMPLES)))

        async def draw() -> None:
            line = {Line(f"bench:{secrets.token_hex(8)}", "day", "people-day"): 1_000}
            await budgets.charge(f"bench-{next(numbers)}", "people", line, 1)

        told.append(("charge that draws a lease, committed", await _each_awaited(draw, COMMITS)))
        await budgets.close()
    return told


async def _mark(pool: asyncpg.Pool, clock: Clock) -> None:
    now = clock.now()
    await pool.execute(MARK, "bench", secrets.token_bytes(32), now + timedelta(seconds=60), now)


def _held(text: str, key: Key, issuer: str) -> None:
    """Signature and claims, as the token endpoint reads them."""
    read = jws.extract_compact(text.encode())
    verify_signature(text, dict(read.headers()), [key])
    check_claims(loads(read.payload), issuer, datetime.now(UTC))


def _assertion(key: Key, issuer: str) -> str:
    now = datetime.now(UTC).timestamp()
    claims = {"iss": "c", "sub": "c", "aud": issuer, "exp": now + 60, "jti": secrets.token_hex(16)}
    return _signed({"alg": key.alg, "kid": key.kid}, claims, key)


def _proof(key: Key, issuer: str) -> bytes:
    header = {"typ": "dpop+jwt", "alg": key.alg, "jwk": key.as_dict(private=False)}
    claims = {
        "jti": secrets.token_hex(16),
        "htm": "POST",
        "htu": issuer + PATH,
        "iat": datetime.now(UTC).timestamp(),
        "ath": urlsafe_b64encode(TOKEN).rstrip(b"=").decode(),
    }
    return _signed(header, claims, key).encode()


def _signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    return jws.serialize_compact(header, dumps(claims), key, registry=REGISTRY)


def _proven(text: bytes, issuer: str) -> None:
    target = Target("POST", target_url(issuer, PATH), TOKEN)
    read_proof(text, target, datetime.now(UTC))


def _each(things: Sequence[T], work: Callable[[T], object]) -> float:
    """Microseconds for one of them, the median."""
    taken = []
    for thing in things:
        started = time.perf_counter()
        work(thing)
        taken.append((time.perf_counter() - started) * 1e6)
    return median(taken)


async def _each_awaited(work: Callable[[], Awaitable[None]], samples: int) -> float:
    taken = []
    for _ in range(samples):
        started = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - started) * 1e6)
    return median(taken)


def main(home: Home = HOME, people: People = 10_000, rounds: Rounds = 5) -> None:
    """Measure what each check costs."""
    with installation(home, people) as found:
        publish(measure(found, rounds))


if __name__ == "__main__":
    typer.run(main)
