"""What every error is: a code, an HTTP status number, texts in both languages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.text import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where (JSON pointer, RFC 6901), a code, a field's name."""

    pointer: str
    code: str
    field: str | None = None


class DtsenError(Exception):
    """An answer other than success. Subclasses state code, HTTP status number and texts."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[Text]
    detail: ClassVar[Text]

    def __init__(
        self,
        *,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
        members: dict[str, object] | None = None,
    ) -> None:
        super().__init__(self.code)
        self.faults = tuple(faults)
        self.headers = headers or {}
        self.members = members or {}


def every_error(root: type[DtsenError] = DtsenError) -> Iterator[type[DtsenError]]:
    """All errors that have a code, in the order of their definition."""
    for kind in root.__subclasses__():
        if "code" in kind.__dict__:
            yield kind
        yield from every_error(kind)
