"""Factories for the authorization server's tests: clients, assertions, a server that answers."""

import asyncio
import base64
import json
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import uvicorn
from fastapi import FastAPI
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from auth.clients import NewClient, add_client
from auth.endpoint import OAuthParts
from auth.jwks import public_jwks
from auth.limits import AgencyLimiter, TokenLimits
from auth.routes import oauth_router
from auth.server import Decision
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.disclosure.grants import Demand
from dtsen.disclosure.mandate import AccessToken
from dtsen.keys import Keyring
from schemas.agreement_models import Binding

ISSUER = "http://localhost:8000"
AGENCY = "dinsos-demo"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = frozenset({"individuals:read", "audit:read"})
ROOMY = "100000/minute"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class MovedClock(Clock):
    """A clock whose both hands a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = timedelta()

    def now(self) -> datetime:
        return super().now() + self.moved

    def monotonic(self) -> float:
        return super().monotonic() + self.moved.total_seconds()

    def tick(self, seconds: float) -> None:
        self.moved += timedelta(seconds=seconds)


def keyring(folder: Path) -> Keyring:
    made = Keyring(folder / "keys")
    made.ensure(datetime.now(UTC))
    return made


def new_key(algorithm: str, kid: str = "key-1") -> Key:
    marks: Any = {"alg": algorithm, "kid": kid, "use": "sig"}
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", marks)
    if algorithm == "PS256":
        return RSAKey.generate_key(2048, marks)
    return OKPKey.generate_key("Ed25519", marks)


@dataclass(frozen=True)
class Client:
    """A registered client and its private key."""

    client_id: str
    key: Key


def register(
    urls: DatabaseUrls, algorithm: str = "ES256", *, keys: list[Key] | None = None, **terms: Any
) -> Client:
    """A new client of the demo agency, by the same function that the command uses."""
    keys = keys or [new_key(algorithm)]
    client_id = f"client-{secrets.token_hex(6)}"
    with psycopg.connect(urls.owner) as connection:
        connection.execute(
            "INSERT INTO disclosure.agency (code, name, role, pairwise_version)"
            " VALUES (%s, 'Dinas Sosial Demo', 'pengguna', '1') ON CONFLICT DO NOTHING",
            (AGENCY,),
        )
        add_client(connection, NewClient(client_id, AGENCY, "test", public_jwks(keys), **terms))
    return Client(client_id, keys[0])


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: Any, claims: Any, key: Key, *, algorithm: str | None = None) -> str:
    """A JWS of any header and claims, signed as `algorithm` whatever the header says."""
    message = f"{segment(header)}.{segment(claims)}"
    name = algorithm or {"EC": "ES256", "RSA": "PS256", "OKP": "Ed25519"}[key.key_type]
    return (
        f"{message}.{segment(JWSRegistry.algorithms[name].sign(message.encode(), unmarked(key)))}"
    )


def unmarked(key: Key) -> Key:
    """The key without `alg` and `use`, so that it signs whatever a test wants signed."""
    bare = {k: v for k, v in key.as_dict(private=True).items() if k not in {"alg", "use"}}
    return type(key).import_key(bare)


def claims_of(client: Client, **changes: Any) -> dict[str, Any]:
    """Right claims for now, with changes; None takes a claim away."""
    now = datetime.now(UTC).timestamp()
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_hex(16),
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def assertion(client: Client, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A client's assertion; `header` adds to or replaces the right header."""
    right = {"alg": client.key.alg, "kid": client.key.kid, **(header or {})}
    return signed(right, claims_of(client, **changes), client.key)


def form(text: str | None, **more: str) -> dict[str, str]:
    """The form of a token request."""
    fields = {"grant_type": "client_credentials", **more}
    if text is not None:
        fields = {**fields, "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return fields


def refused(answer: httpx2.Response, error: str, status: int = 400) -> bool:
    """Whether an answer is this refusal, in the form and character set of RFC 6749 5.2."""
    body = answer.json()
    described = body.get("error_description", "")
    return (
        answer.status_code == status
        and body["error"] == error
        and set(body) <= {"error", "error_description"}
        and all(" " <= c <= "~" and c not in '"\\' for c in described)
        and answer.headers["content-type"] == "application/json"
        and answer.headers["cache-control"] == "no-store"
    )


@dataclass
class Agreements:
    """What agreements say in a test: the same scopes to every client, but for exceptions."""

    scopes: frozenset[str] | None = SCOPES
    excepted: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    binding: Binding = "none"
    until: datetime = field(default_factory=lambda: datetime(2099, 1, 1, tzinfo=UTC))

    def granted(self, client_id: str) -> frozenset[str] | None:
        del client_id
        return self.scopes

    def demand(self, client_id: str) -> Demand:
        if client_id in self.excepted:
            return Demand("none", self.until)
        return Demand(self.binding)

    def in_force(self, token: AccessToken) -> bool:
        return token.client_id not in self.ended


@dataclass
class Server:
    """A running authorization server and what it told the access log."""

    http: httpx2.Client
    agreements: Agreements
    refusals: list[tuple[str, str]] = field(default_factory=list)
    issues: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)

    def ask(self, text: str | None, **more: str) -> httpx2.Response:
        return self.http.post("/oauth/token", data=form(text, **more))


@contextmanager
def serving(
    api_url: str,
    keys: Keyring,
    *,
    profile: str = "sandbox",
    limits: TokenLimits | None = None,
    clock: Clock | None = None,
    issuer: str | None = ISSUER,
    **more: Any,
) -> Iterator[Server]:
    """The real routes on a real uvicorn, over a real database, on a loopback port.

    `issuer` None: the address it is served at; `more`: of `OAuthParts`.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    chosen = limits or TokenLimits(AgencyLimiter(), ROOMY, ROOMY)
    app = FastAPI(openapi_url=None)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    with httpx2.Client(base_url=origin, timeout=10) as http:
        told = Server(http, Agreements())

        async def on_refusal(_operation: str, who: str, cause: str) -> None:
            if told.problems:
                raise told.problems.pop()
            told.refusals.append((who, cause))

        async def on_issue(decision: Decision) -> None:
            if told.problems:
                raise told.problems.pop()
            told.issues.append((decision.client_id, decision.jti, decision.scope))

        async def on_revoke(token: AccessToken) -> None:
            told.revoked.append(token.jti)

        async def run() -> None:
            async with await open_pool(api_url, name="test", size=4) as pool:
                parts = OAuthParts(
                    pool, keys, clock or Clock(), issuer or origin, profile,
                    told.agreements, chosen, on_refusal, on_issue, on_revoke, **more,
                )  # fmt: skip
                app.include_router(oauth_router(parts))
                await server.serve(sockets=[listener])

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        try:
            yield told
        finally:
            server.should_exit = True
            thread.join(20)
