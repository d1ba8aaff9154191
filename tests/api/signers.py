"""Clients that sign their requests by a library that is not ours, and check answers by it."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from dtsen.client.showing import shown
from dtsen.messages import Answer, Request
from dtsen.messages.fields import content_digest
from dtsen.messages.keys import private_key, public_key
from dtsen.releases.synth.example import EXAMPLE_NIKS
from tests.messages import others
from tests.sandbox import Sandbox

LOOKUP = "/v1/individuals/lookup"
SAID = {
    "dtsen-purpose": "UJI",
    "dtsen-actor": "officer",
    "dtsen-officer": "petugas-7",
    "dtsen-case-ref": "KASUS-1",
}
ACCEPT = 'dtsen=("@status");created;nonce="n-1";tag="fapi-2-response"'


@dataclass
class Signer:
    """One client of a sandbox."""

    sandbox: Sandbox
    client_id: str
    said: dict[str, str] = field(default_factory=lambda: dict(SAID))

    def request(
        self, method: str = "POST", path: str = LOOKUP, body: Any = None, **more: str
    ) -> Request:
        """A request with its token shown rightly; unsigned."""
        if body is None and method == "POST":
            body = {"nik": EXAMPLE_NIKS[0]}
        content = b"" if body is None else json.dumps(body).encode()
        client = self.sandbox.client(self.client_id)
        said = shown(client, self.sandbox.token(self.client_id), method, path)
        said |= self.said | {name.replace("_", "-"): value for name, value in more.items()}
        if content:
            said |= {"content-type": "application/json", "content-digest": content_digest(content)}
        headers = [(name.lower(), value) for name, value in said.items()]
        return Request(method, client["issuer"] + path, headers, content)

    def sign(self, request: Request, *, key: Any = None, without: str = "", **how: Any) -> Request:
        """It with a signature by the other library, over all that it carries."""
        jwk = self.sandbox.client(self.client_id)["private_jwk"]
        names = ["@method", "@target-uri", *(name for name, _ in request.headers)]
        usual = {
            "created": datetime.now(UTC).replace(microsecond=0),
            "nonce": secrets.token_urlsafe(16),
            "tag": "fapi-2-request",
        }
        how = {name: value for name, value in (usual | how).items() if value is not None}
        keyid = how.pop("keyid", jwk["kid"])
        kept = [name for name in names if name != without]
        signed = others.sign(request, key or private_key(jwk), keyid, kept, **how)
        return request._replace(headers=signed)

    def signed(self, *place: Any, **more: str) -> Request:
        """A signed request."""
        return self.sign(self.request(*place, **more))

    def send(self, request: Request) -> httpx2.Response:
        """The answer, on a connection of its own: the system chooses the worker."""
        path = request.url.removeprefix(self.sandbox.client(self.client_id)["issuer"])
        headers = list(request.headers)
        with self.sandbox.stranger() as http:
            return http.request(request.method, path, headers=headers, content=request.content)

    def check(self, answer: httpx2.Response, request: Request) -> Any:
        """What the other library says of an answer's signature, by the server's published key.

        Raises:
            InvalidSignature: it does not hold.
        """
        keys = self.sandbox.http.get("/oauth/jwks").json()["keys"]
        (jwk,) = (one for one in keys if one["kid"].startswith("signatures-"))
        told = Answer(answer.status_code, list(answer.headers.multi_items()), answer.content)
        needs = ["@status", '"@method";req', '"@target-uri";req']
        (result,) = others.verify(
            others.their_answer(told, request),
            public_key(jwk),
            jwk["kid"],
            "fapi-2-response",
            body=answer.content,
            require_components=needs,
            max_age=timedelta(seconds=60),
        )
        return result


def without(request: Request, name: str) -> Request:
    return request._replace(headers=[each for each in request.headers if each[0] != name])


def with_header(request: Request, name: str, value: str) -> Request:
    return request._replace(headers=[*without(request, name).headers, (name, value)])


def value_of(request: Request, name: str) -> str:
    return dict(request.headers)[name]


def faults(answer: httpx2.Response) -> list[tuple[str, str | None]]:
    return [(one["code"], one.get("field")) for one in answer.json()["errors"]]
