"""Refusals and failures as the API tells them: `application/problem+json` (RFC 9457)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2

from dtsen.client.errors import CallFailed
from dtsen.client.receipts import record_of
from dtsen.clock import Clock

_CODE = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in what was sent: where, and its code; `field` names a variable."""

    pointer: str
    code: str
    field: str | None = None


class Problem(CallFailed):
    """An answer that is no success. Its text is status, code and record id, and nothing else.

    `title` and `detail` are for people, in the language that was asked for; `retry_after` is in
    seconds; `record` is the id of the access record, where the refusal was recorded; `instance`
    is what to quote in a report.
    """

    def __init__(self, answer: httpx2.Response) -> None:
        """Read a refusal; a gateway's own error page is one without a code."""
        told = _told(answer)
        self.status = answer.status_code
        self.code = _code(told)
        self.title = str(told.get("title", f"HTTP {self.status}"))
        self.detail = str(told.get("detail", ""))
        self.instance = str(told.get("instance", ""))
        self.faults = _faults(told)
        self.record = record_of(answer.headers.get("DTSEN-Access-Record"))
        self.retry_after = retry_after(answer)
        self.told = told
        recorded = f", record {self.record}" if self.record else ""
        super().__init__(f"{self.status} {self.code or 'without a code'}{recorded}")


class Invalid(Problem):
    """What was sent is wrong (400, 406, 413, 415, 422 and others): `faults` says where."""


class Unauthenticated(Problem):
    """The token, or the proof that came with it, is not accepted (401)."""


class NotPermitted(Problem):
    """The agreement does not open this (403): purpose, scope or variable."""


class NotThere(Problem):
    """No such thing, or no longer (404, 410)."""


class Limited(Problem):
    """A quota or a rate is used up (429): not before `retry_after`."""


class Unavailable(Problem):
    """The outcome is unknown or a dependency is down (5xx): nothing may be concluded."""


_KINDS: Mapping[int, type[Problem]] = {
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: NotPermitted,
    HTTPStatus.NOT_FOUND: NotThere,
    HTTPStatus.GONE: NotThere,
    HTTPStatus.TOO_MANY_REQUESTS: Limited,
}


def problem_of(answer: httpx2.Response) -> Problem:
    """The exception of an answer that is no success."""
    otherwise = Unavailable if answer.is_server_error else Invalid
    return _KINDS.get(answer.status_code, otherwise)(answer)


def retry_after(answer: httpx2.Response) -> float | None:
    """Seconds that an answer says to wait: a number, or a gateway's date (RFC 9110 10.2.3)."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - Clock().now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _told(answer: httpx2.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _code(told: Mapping[str, Any]) -> str:
    last = str(told.get("type", "")).rpartition("/")[2]
    return last if _CODE.fullmatch(last) else ""


def _faults(told: Mapping[str, Any]) -> tuple[Fault, ...]:
    errors = told.get("errors")
    return tuple(
        Fault(str(one.get("pointer", "")), str(one.get("code", "")), one.get("field"))
        for one in (errors if isinstance(errors, list) else ())
        if isinstance(one, dict)
    )
