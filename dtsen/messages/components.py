"""Components of messages and the signature base over them (RFC 9421 2).

Of the parameters of components only `req` is understood: nothing here is signed in another form
than that in which it was sent.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import http_sf

from dtsen.messages.faults import SignatureFault

Headers = Sequence[tuple[str, str]]
"""Field lines in order, names in lower case."""

Component = tuple[str, Mapping[str, Any]]
"""A component's name and parameters, as structured fields are read."""

Parameters = Mapping[str, Any]

MOST_COMPONENTS = 64


class Request(NamedTuple):
    """A request: `url` is the whole target URI, at the issuer and not where a proxy took it."""

    method: str
    url: str
    headers: Headers
    content: bytes = b""


class Answer(NamedTuple):
    """An answer to a request."""

    status: int
    headers: Headers
    content: bytes = b""


class Covered(NamedTuple):
    """What one signature is over: its components in order, and its parameters."""

    components: Sequence[Component]
    parameters: Parameters

    def covers(self, name: str, *, req: bool = False) -> bool:
        """Whether a component is among them."""
        return (name, {"req": True} if req else {}) in [
            (each, dict(parameters)) for each, parameters in self.components
        ]

    def text(self) -> str:
        """As it stands in `Signature-Input`, and in the last line of the base."""
        member: Any = list(self.components), dict(self.parameters)
        return http_sf.ser([member])


def signature_base(covered: Covered, message: Request | Answer, asked: Request | None) -> bytes:
    """What is signed (RFC 9421 2.5); `asked` is the request of an answer.

    Raises:
        SignatureFault: a component is not there, not known, or named twice.
    """
    lines = []
    seen = set()
    if len(covered.components) > MOST_COMPONENTS:
        raise SignatureFault("malformed")
    for name, parameters in covered.components:
        req = _is_of_request(parameters)
        if (name, req) in seen:
            raise SignatureFault("malformed")
        seen.add((name, req))
        source = asked if req else message
        if source is None or (req and isinstance(message, Request)):
            raise SignatureFault("unknown-component")
        lines.append(f'"{name}"{";req" if req else ""}: {_value(name, source)}')
    lines.append(f'"@signature-params": {covered.text()}')
    try:
        return "\n".join(lines).encode("ascii")
    except UnicodeEncodeError:
        raise SignatureFault("malformed") from None


def field_value(headers: Headers, name: str) -> str | None:
    """A field's combined value (RFC 9421 2.1); None where there is no such field."""
    lines = [value.strip(" \t") for each, value in headers if each == name]
    return ", ".join(lines) if lines else None


def components(names: Iterable[str]) -> list[Component]:
    """Components by their names; those that end in `;req` are of the request."""
    return [
        (name.removesuffix(";req"), {"req": True} if name.endswith(";req") else {})
        for name in names
    ]


def _is_of_request(parameters: Parameters) -> bool:
    if not parameters:
        return False
    if dict(parameters) != {"req": True} or parameters["req"] is not True:
        raise SignatureFault("unknown-component")
    return True


def _value(name: str, source: Request | Answer) -> str:
    if name.startswith("@"):
        if isinstance(source, Answer):
            if name != "@status":
                raise SignatureFault("unknown-component")
            return str(source.status)
        if name not in _DERIVED:
            raise SignatureFault("unknown-component")
        return _DERIVED[name](source)
    value = field_value(source.headers, name)
    if value is None:
        raise SignatureFault("unknown-component")
    return value


def _authority(request: Request) -> str:
    return urlsplit(request.url).netloc


def _path(request: Request) -> str:
    return urlsplit(request.url).path


def _query(request: Request) -> str:
    return f"?{urlsplit(request.url).query}"


_DERIVED: Mapping[str, Callable[[Request], str]] = MappingProxyType(
    {
        "@method": lambda request: request.method,
        "@target-uri": lambda request: request.url,
        "@authority": _authority,
        "@scheme": lambda request: urlsplit(request.url).scheme,
        "@request-target": lambda request: _path(request) + _query(request).removesuffix("?"),
        "@path": _path,
        "@query": _query,
    }
)
