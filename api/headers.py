"""Request headers, read once: a call asks for a dozen of them, most of which are not there.

And those that every answer has.
"""

import re
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers

from dtsen.errors import Fault, MalformedHeader

SAID = {
    "dtsen-purpose": re.compile(r"[A-Z0-9][A-Z0-9-]{0,63}"),
    "dtsen-actor": re.compile(r"officer|subject|system"),
    "dtsen-officer": re.compile(r"[\x21-\x7e]{1,128}"),
    "dtsen-case-ref": re.compile(r"[\x21-\x7e]{1,128}"),
    "idempotency-key": re.compile(r"[\x21-\x7e]{1,128}"),
}
"""What a caller says of a call beside its content, and the form that it must have."""

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
SAFE_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class IndexedHeaders(Headers):
    """Starlette's headers, found by name instead of by a walk over all of them."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=list(raw))
        self._values: dict[str, list[str]] = {}
        for name, value in self.raw:
            values = self._values.setdefault(name.decode("latin-1"), [])
            values.append(value.decode("latin-1"))

    def __getitem__(self, key: str) -> str:
        """The first value of a header.

        Raises:
            KeyError: there is none.
        """
        return self._values[key.lower()][0]

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping declares it
        """The first value of a header, or the default: most that are asked for are not there."""
        values = self._values.get(key.lower())
        return default if values is None else values[0]

    def __contains__(self, key: object) -> bool:
        """Whether there is a header of this name."""
        return isinstance(key, str) and key.lower() in self._values

    def getlist(self, key: str) -> list[str]:
        """All values of a header, in order."""
        return list(self._values.get(key.lower(), ()))


def said_of(headers: Headers) -> dict[str, str]:
    """What a request's headers say of why and for whom it is made.

    Raises:
        MalformedHeader: one of them is repeated or has not its form.
    """
    said: dict[str, str] = {}
    faults = []
    for name, form in SAID.items():
        values = headers.getlist(name)
        if not values:
            continue
        if len(values) > 1 or form.fullmatch(values[0]) is None:
            faults.append(Fault("", "malformed-header", name))
        else:
            said[name] = values[0]
    if faults:
        raise MalformedHeader(faults=faults)
    return said


def trace_of(headers: Headers) -> str | None:
    """The trace that a request belongs to; None where it says none, or says it wrongly."""
    trace = headers.get("traceparent", "")
    return trace if _TRACEPARENT.fullmatch(trace) else None
