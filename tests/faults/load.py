"""Load over HTTP: callers that each ask again as soon as they were answered.

On `http.client`, which gives the header before the body and costs a tenth of a full client.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Self

from tests.faults.processes import SECONDS

PAUSE = 0.02
"""Seconds before a caller whose connection failed tries again."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks; `about` is the test's own note."""

    token: str
    body: dict[str, Any]
    path: str = "/v1/individuals/lookup"
    about: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. Instants are of `time.monotonic`; status 0: the connection failed."""

    request: Request
    began: float
    ended: float
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Acknowledged = Callable[[str], None]


def ask(
    connection: HTTPConnection, request: Request, acknowledged: Acknowledged | None = None
) -> Answer:
    """Ask once. A receipt counts from when its header has come, whatever becomes of the body."""
    began = time.monotonic()
    try:
        connection.request(
            "POST",
            request.path,
            json.dumps(request.body),
            {
                "Authorization": f"Bearer {request.token}",
                "Content-Type": "application/json",
                **request.headers,
            },
        )
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        if acknowledged is not None and "dtsen-access-record" in headers:
            acknowledged(headers["dtsen-access-record"])
        body = response.read()
    except (OSError, HTTPException):
        connection.close()
        return Answer(request, began, time.monotonic(), 0)
    return Answer(request, began, time.monotonic(), response.status, headers, body)


def raw(request: Request) -> bytes:
    """A request in its bytes, for who does not stay for the answer."""
    body = json.dumps(request.body).encode()
    lines = (
        f"POST {request.path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {request.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "\r\n",
    )
    return "\r\n".join(lines).encode() + body


class Load:
    """Callers, one connection each, that ask what `choose` says until the block ends."""

    def __init__(
        self,
        connections: Sequence[HTTPConnection],
        choose: Callable[[], Request],
        acknowledged: Acknowledged | None = None,
    ) -> None:
        self._choose = choose
        self._acknowledged = acknowledged
        self._ending = threading.Event()
        self._choosing = threading.Lock()
        self._news = threading.Condition()
        self._came: list[deque[Answer]] = [deque() for _ in connections]
        self._callers = [
            threading.Thread(target=self._call, args=(connection, came))
            for connection, came in zip(connections, self._came, strict=True)
        ]

    def __enter__(self) -> Self:
        for caller in self._callers:
            caller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for caller in self._callers:
            caller.join(2 * SECONDS)

    def _call(self, connection: HTTPConnection, came: deque[Answer]) -> None:
        while not self._ending.is_set():
            with self._choosing:
                request = self._choose()
            answer = ask(connection, request, self._acknowledged)
            with self._news:
                came.append(answer)
                self._news.notify_all()
            if answer.status == 0:
                self._ending.wait(PAUSE)
        connection.close()

    def await_each(
        self, count: int, wanted: Callable[[Answer], bool], *, seconds: float = SECONDS
    ) -> None:
        """Wait until each caller has had so many answers of the wanted kind."""
        with self._news:
            assert self._news.wait_for(
                lambda: all(sum(map(wanted, came)) >= count for came in self._came), seconds
            ), "the callers are not answered as they should be"

    def take(self) -> list[Answer]:
        """All answers so far, given once."""
        with self._news:
            taken = [answer for came in self._came for answer in came]
            for came in self._came:
                came.clear()
        return taken
