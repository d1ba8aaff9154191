"""Each documented status of each operation, reached on purpose by a request made for it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import httpx2

from dtsen.client.tokens import fetch_token
from tests.audit.expired import expired_request
from tests.documented import DOCUMENT
from tests.examples import example_path, operations, read_example, real_path, real_request
from tests.parties import IN_FORCE_SECONDS, OPERATIONS, Terms, agency
from tests.sandbox import Sandbox

JSON = "application/json"
TOO_LARGE = 1_048_577
STALE_SECONDS = 1.5
"""Longer than a worker may go without reading authority, however its polls fall."""
MOST_UNTIL_LIMITED = 50
FLAWS: dict[str, dict[str, Any]] = {
    "400": {"dtsen_actor": "nobody"},
    "401": {"authorization": ""},
    "404": {},
    "406": {"accept": "text/csv"},
    "413": {"content": b" " * TOO_LARGE},
    "415": {"content": b"{}", "content_type": "text/plain"},
    "422": {"content": b'{"unheard_of": 1}'},
    "503": {},
}
"""What is wrong with a request for a status; nothing where it is the sandbox's state."""


@dataclass(frozen=True)
class Caller:
    """A client of the sandbox that asks the examples, and one with hardly any quota."""

    sandbox: Sandbox
    client: str
    small: str

    def ask(
        self, operation_id: str, *, path: str | None = None, content: Any = None, **headers: str
    ) -> httpx2.Response:
        """An example's request, with what is given instead; underscores of headers are hyphens."""
        method, template, _ = operations(DOCUMENT)[operation_id]
        said = {"authorization": f"Bearer {self.sandbox.token(self.client)}"}
        said |= {name.replace("_", "-"): value for name, value in headers.items() if value}
        if headers.get("authorization") == "":
            del said["authorization"]
        how: dict[str, Any] = {"headers": said}
        if content is not None:
            how["content"] = content
            said.setdefault("content-type", JSON)
        elif "request" in read_example(operation_id):
            how["json"] = real_request(self.sandbox, operation_id, self.client)
        if path is None:
            path = real_path(self.sandbox, operation_id, template, self.client)
        return self.sandbox.http.request(method, path, **how)

    def reach_all(self) -> Iterator[tuple[str, str, httpx2.Response]]:
        """Operation, documented status, and the answer to a request that ought to have it."""
        statuses = {
            status
            for _, _, operation in operations(DOCUMENT).values()
            for status in operation["responses"]
        }
        for status in sorted(statuses):
            with STATES.get(status, _as_always)(self.sandbox):
                for name, (_, _, operation) in operations(DOCUMENT).items():
                    if status in operation["responses"]:
                        for answer in self._reach(name, status):
                            yield name, status, answer

    def _reach(self, name: str, status: str) -> Iterator[httpx2.Response]:
        """Requests that ought to have this status, one for each form of a 200."""
        _, template, operation = operations(DOCUMENT)[name]
        # Where nothing is answered about anybody, no id of this client is to be had.
        path = example_path(name, template) if status in STATES else None
        asked = read_example(name).get("request") if status in STATES else None
        content = None if asked is None else json.dumps(asked).encode()
        if status == "200":
            for form in operation["responses"]["200"]["content"]:
                yield self.ask(name, accept=form)
        elif status == "304":
            held = self.ask(name).headers["etag"]
            yield self.ask(name, if_none_match=held)
        elif status == "403":
            yield self.ask(name, authorization=self._token_for_another(operation))
        elif status == "422" and "requestBody" not in operation and "{" not in template:
            yield self.ask(name, path=f"{template}?unheard_of=1")
        elif status == "422" and "requestBody" not in operation:
            key = token_hex(8)
            self.ask(name, idempotency_key=key)
            yield self.ask(name, path=example_path(name, template), idempotency_key=key)
        elif status == "410" and template.startswith("/dtks/"):
            with agency(self.sandbox, Terms(legacy={"sunset": "2026-01-01"})) as late:
                yield self.ask(name, authorization=f"Bearer {self.sandbox.token(late)}")
        elif status == "410":
            asked = read_example(name)["request"]
            yield self.ask(name, content=expired_request(self.sandbox, self.client, asked))
        elif status == "429":
            yield self.until_limited(name, example_path(name, template))
        else:
            yield self.ask(name, path=path, **{"content": content, **FLAWS[status]})

    def _token_for_another(self, operation: dict[str, Any]) -> str:
        """A token whose only scope is that of another operation."""
        (own,) = operation["security"][0].values()
        other = next(scope for scope in OPERATIONS if scope not in own)
        client = self.sandbox.client(self.client) | {"scope": other}
        return f"Bearer {fetch_token(client, http=self.sandbox.http)}"

    def until_limited(self, name: str, path: str) -> httpx2.Response:
        """Ask with the small client until its limit is met."""
        token = f"Bearer {self.sandbox.token(self.small)}"
        for _ in range(MOST_UNTIL_LIMITED):
            answer = self.ask(name, path=path, authorization=token)
            if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
                break
        return answer


@contextmanager
def no_release_in_force(sandbox: Sandbox) -> Iterator[None]:
    """For a while no release answers, as before the very first activation."""
    with sandbox.owner() as connection:
        row = connection.execute("SELECT ordinal FROM registry.pointer").fetchone()
        assert row is not None
        move = "UPDATE registry.pointer SET ordinal = %s, moved_at = clock_timestamp()"
        connection.execute(move, (None,))
        try:
            time.sleep(IN_FORCE_SECONDS)
            yield
        finally:
            connection.execute(move, row)
            time.sleep(IN_FORCE_SECONDS)


@contextmanager
def authority_out_of_reach(sandbox: Sandbox) -> Iterator[None]:
    """For a while nobody can read authority: somebody holds its table and does not let go."""
    with sandbox.owner() as connection:
        with connection.transaction():
            connection.execute("LOCK TABLE disclosure.authority IN ACCESS EXCLUSIVE MODE")
            time.sleep(STALE_SECONDS)
            yield
        time.sleep(IN_FORCE_SECONDS)


@contextmanager
def _as_always(_: Sandbox) -> Iterator[None]:
    yield


STATES = {"404": no_release_in_force, "503": authority_out_of_reach}
"""What the sandbox must be like for every operation to give a status."""
