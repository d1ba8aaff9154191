"""A legacy id as everything here names it."""

from typing import NamedTuple


class Identifier(NamedTuple):
    """A legacy id in its strict form; `scheme` is a name of `schemes.SCHEMES`."""

    scheme: str
    value: str
