"""One client's calls: its token renewed in time, repeats paid once, receipts kept."""

import time
from collections.abc import Mapping
from threading import Lock
from uuid import uuid4

import httpx2

from dtsen.client.connection import origin
from dtsen.client.file import ClientFile
from dtsen.client.metadata import token_endpoint
from dtsen.client.patience import ONCE, Patience, patiently
from dtsen.client.problems import problem_of
from dtsen.client.receipts import HEADER, Keep
from dtsen.client.showing import Nonce, call, shown
from dtsen.client.signing import Signer
from dtsen.client.tokens import Token, request_token

KEY = "Idempotency-Key"
ABOUT_PEOPLE = ("/v1/individuals/", "/v1/families/", "/v1/legacy/dtks/", "/dtks/v1/")
"""Below these, calls are charged by people and take an `Idempotency-Key`."""
READING = frozenset({"/v1/audit/search"})
"""Calls by POST that change nothing and cost no people."""
SPARE_SECONDS = 60
"""A token is renewed so long before it ends."""
MOST_KEPT_RATIO = 0.5
"""Of a token that lives shorter than that, so much is used."""


class Session:
    """A client's connection and token; several threads may share one."""

    def __init__(
        self, file: ClientFile, http: httpx2.Client, *, patience: Patience, keep: Keep
    ) -> None:
        """Take a client's file, a connection that it opens, and where receipts go."""
        self.file = file
        self._http = http
        self._patience = patience
        self._keep = keep
        self._nonce = Nonce()
        self._lock = Lock()
        self._signer: Signer | None = None
        self._token = ""
        self._due = float("-inf")

    def token(self) -> str:
        """A token with a while left.

        Raises:
            TokenRefused: the server refused.
            Unreachable, Problem, AnswerInvalid: it does not answer, or its metadata are no good.
        """
        with self._lock:
            if time.monotonic() >= self._due:
                began = time.monotonic()
                token = patiently(self._fetch, self._patience)
                spared = max(token.seconds - SPARE_SECONDS, token.seconds * MOST_KEPT_RATIO)
                self._token, self._due = token.value, began + spared
            return self._token

    def shown(self, method: str, path: str) -> dict[str, str]:
        """The headers that show the token with one call that is sent by other means."""
        return shown(self.file, self.token(), method, path, nonce=self._nonce.value)

    def send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> httpx2.Response:
        """The good answer to one call, which is repeated where that cannot cost twice.

        Repeated are calls that only read, and calls about people, all tries of which carry one
        `Idempotency-Key`: the people of a try whose answer was lost are not paid for again.

        Raises:
            Problem: a refusal, or a failure that lasts.
            Unreachable: no answer.
            TokenRefused, AnswerInvalid: there was no token to be had.
        """
        said = dict(headers)
        keyed = any(name.lower() == KEY.lower() for name in said)
        if path.startswith(ABOUT_PEOPLE) and not keyed:
            said[KEY], keyed = str(uuid4()), True
        repeatable = method in {"GET", "HEAD"} or keyed or path in READING

        def ask() -> httpx2.Response:
            answer = self._try(method, path, said, content)
            if not answer.is_success and answer.status_code != httpx2.codes.NOT_MODIFIED:
                raise problem_of(answer)
            return answer

        return patiently(ask, self._patience if repeatable else ONCE)

    def send_once(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> httpx2.Response:
        """The answer to one call, whatever it says; never repeated.

        Raises:
            Unreachable: no answer.
            TokenRefused, Problem, AnswerInvalid: there was no token to be had.
        """
        return patiently(lambda: self._try(method, path, headers, content), ONCE)

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def _fetch(self) -> Token:
        if "token_endpoint" not in self.file:
            endpoint = token_endpoint(self.file, http=self._http)
            self.file = {**self.file, "token_endpoint": endpoint}
            self._http.base_url = httpx2.URL(origin(self.file))
        return request_token(self.file, http=self._http)

    def _try(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx2.Response:
        """One try; a token that was taken before and is not now is renewed, once.

        Whose agreement wants signatures is told so by the first call, which then is sent signed,
        as all that follow are.
        """
        held = self._token
        token = self.token()
        answer = self._call(token, method, path, headers, content)
        if answer.status_code == httpx2.codes.UNAUTHORIZED and token == held:
            with self._lock:
                if self._token == token:
                    self._due = float("-inf")
            answer = self._call(self.token(), method, path, headers, content)
        if self._signer is None and _wants_signature(answer):
            self._signer = Signer(self.file)
            answer = self._call(self.token(), method, path, headers, content)
        return answer

    def _call(
        self, token: str, method: str, path: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx2.Response:
        answer = call(
            self.file,
            token,
            method,
            path,
            http=self._http,
            nonce=self._nonce,
            headers=headers,
            content=content,
            signer=self._signer,
        )
        receipt = answer.headers.get(HEADER)
        if receipt is not None:
            self._keep(receipt)
        return answer


def _wants_signature(answer: httpx2.Response) -> bool:
    """Whether a request was refused because it was not signed."""
    if answer.status_code != httpx2.codes.BAD_REQUEST:
        return False
    return problem_of(answer).code == "signature-required"
