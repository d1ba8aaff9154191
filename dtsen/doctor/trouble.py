"""One thing that is wrong, and what to do."""

from typing import NamedTuple


class Trouble(NamedTuple):
    """What is wrong and how to mend it, in an operator's words."""

    what: str
    remedy: str
