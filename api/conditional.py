"""Conditional requests (RFC 9110 section 13): which answers a caller says to hold already."""

import re
from collections.abc import Sequence

from dtsen.errors import Fault, MalformedHeader

_OPAQUE = '"[!#-~]*"'
_TAG = f"(W/)?{_OPAQUE}"
TAGS_PATTERN = rf"^(\*|{_TAG}( *, *{_TAG})*)$"
LONGEST = 500


def held_tags(values: Sequence[str]) -> frozenset[str]:
    """The entity tags of If-None-Match, as its header lines say them; `*` stands for any.

    Weak tags are compared like strong ones (RFC 9110 section 13.1.2).

    Raises:
        MalformedHeader: they are none, or too long.
    """
    if not values:
        return frozenset()
    said = ", ".join(values)
    if len(said) > LONGEST or re.fullmatch(TAGS_PATTERN, said) is None:
        raise MalformedHeader(faults=[Fault("", "malformed-header", "if-none-match")])
    return frozenset(re.findall(_OPAQUE, said)) or frozenset({"*"})
