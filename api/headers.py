"""Request headers, read once: a call asks for a dozen of them, most of which are not there."""

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers


class IndexedHeaders(Headers):
    """Starlette's headers, found by name instead of by a walk over all of them."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=list(raw))
        self._values: dict[bytes, list[bytes]] = {}
        for name, value in self.raw:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, key: str) -> str:
        """The first value of a header.

        Raises:
            KeyError: there is none.
        """
        return self._values[key.lower().encode("latin-1")][0].decode("latin-1")

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping declares it
        """The first value of a header, or the default: most that are asked for are not there."""
        values = self._values.get(key.lower().encode("latin-1"))
        return default if values is None else values[0].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        """Whether there is a header of this name."""
        return isinstance(key, str) and key.lower().encode("latin-1") in self._values

    def getlist(self, key: str) -> list[str]:
        """All values of a header, in order."""
        values = self._values.get(key.lower().encode("latin-1"), ())
        return [value.decode("latin-1") for value in values]
