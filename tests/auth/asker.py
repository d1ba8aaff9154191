"""A client of a sandbox with its keys: requests of it, right but for what is changed."""

import json
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import JWKRegistry, Key

from tests.auth.make import FORM, Client, claims_of, form, signed
from tests.auth.prove import proof
from tests.sandbox import Sandbox

TOKEN = "/oauth/token"  # noqa: S105 - a path


@dataclass(frozen=True)
class Request:
    """What goes over the wire; headers may repeat."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.content)


def send(connection: HTTPConnection, request: Request) -> Answer:
    """Ask on one connection, and so one worker."""
    connection.putrequest(request.method, request.path)
    for name, value in request.headers:
        connection.putheader(name, value)
    if request.body or request.method == "POST":
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body)
    answer: HTTPResponse = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, headers, answer.read())


class Asker:
    """A client and what it asks."""

    def __init__(self, sandbox: Sandbox, client_id: str = "demo-app") -> None:
        file = sandbox.client(client_id)
        self.issuer: str = file["issuer"]
        self.client = Client(client_id, JWKRegistry.import_key(file["private_jwk"]))
        self.key: Key = JWKRegistry.import_key(file["dpop_private_jwk"])
        self.token = sandbox.token(client_id)

    def proof(self, path: str, method: str = "POST", **changes: Any) -> str:
        """A proof for a path; of the token too, but at the token endpoint."""
        more = {} if path.startswith("/oauth") else {"token": self.token}
        right = {"key": self.key, "url": self.issuer + path, "method": method, **more}
        return proof(**(right | changes))

    def assertion(
        self, *, header: dict[str, Any] | None = None, by: Key | None = None, **claims: Any
    ) -> str:
        """An assertion; `by` another key than the client's."""
        right = {"alg": self.client.key.alg, "kid": self.client.key.kid, **(header or {})}
        made = claims_of(self.client, **{"aud": self.issuer, **claims})
        return signed(right, made, by or self.client.key)

    def late(self) -> str:
        """An assertion that ends as far ahead as one may."""
        return self.assertion(exp=time.time() + 599)

    def asks(self, assertion: str | None = None, *proofs: str, **more: str) -> Request:
        """A token request with a new assertion and proof, or with these."""
        fields = form(assertion or self.assertion(), **more)
        shown = tuple(("DPoP", one) for one in proofs or (self.proof(TOKEN),))
        return Request("POST", TOKEN, urlencode(fields).encode(), (*FORM.items(), *shown))

    def calls(
        self,
        *proofs: str,
        path: str = "/v1/releases/current",
        scheme: str = "DPoP",
        token: str | None = None,
    ) -> Request:
        """A call with a new proof, or with these."""
        shown = tuple(("DPoP", one) for one in proofs or (self.proof(path, "GET"),))
        authorization = ("Authorization", f"{scheme} {token or self.token}")
        return Request("GET", path, headers=(authorization, *shown))
