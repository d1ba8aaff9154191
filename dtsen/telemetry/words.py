"""The closed lists from which telemetry may speak: operations, routes, error codes, our own code.

Whatever is not on a list does not leave. A caller can invent a string, never a word on a list.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from dtsen.errors import every_error

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY"})
STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
OTHER = "other"
WITHHELD = "[withheld]"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,199}")
_SQLSTATE = re.compile(r"(?=[0-9A-Z]*[0-9])[0-9A-Z]{5}")
# A NIK or KK (15 to 16 digits), an ID ART (18), however it is broken into groups.
_LONG_NUMBER = re.compile(r"[0-9](?:[ .\-/_]?[0-9]){14,}")
_exceptions: set[str] = set()


class Told(str):
    """A log line that `logs.py` made; no other text is exported as a log's body."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Operation ids, route templates and refusal codes of this installation."""

    operations: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset(kind.code for kind in every_error())

    def knows(self, text: str) -> bool:
        """Whether a text is ours: an operation, a route, a code, an exception's name, SQLSTATE."""
        return (
            text in self.operations
            or text in self.routes
            or text in self.codes
            or _SQLSTATE.fullmatch(text) is not None
            or is_exception(text)
        )

    def is_span_name(self, text: str) -> bool:
        """Whether a span's name is an operation, or a method alone or with a route template."""
        method, _, route = text.partition(" ")
        if method in METHODS or method == "HTTP":
            return not route or route in self.routes
        return text in self.operations


def is_exception(text: str) -> bool:
    """Whether a text is the name, bare or qualified, of an exception class that exists here."""
    if text not in _exceptions and _NAME.fullmatch(text):
        _exceptions.update(_exception_names(BaseException))
    return text in _exceptions


def _exception_names(root: type[BaseException]) -> Iterator[str]:
    waiting, seen = [root], {root}
    while waiting:
        kind = waiting.pop()
        yield from (kind.__name__, kind.__qualname__, f"{kind.__module__}.{kind.__qualname__}")
        new = set(type.__subclasses__(kind)) - seen
        seen |= new
        waiting.extend(new)


def module_of(name: str) -> str:
    """The part of a logger's or a tracer's name that is a loaded module; the rest may be anything.

    `uvicorn` of `uvicorn.error`, since names are sometimes made of data.
    """
    while name and name not in sys.modules:
        name = name.rpartition(".")[0]
    return name or WITHHELD


def scrub(text: str) -> str:
    """A text without long numbers; the last line of defence, not the first."""
    return _LONG_NUMBER.sub(WITHHELD, text)
