"""Conditional requests (RFC 9110 section 13): which answers a caller says to hold already."""

import re
from collections.abc import Sequence

from dtsen.errors import Fault, MalformedHeader

TAGS_PATTERN = "^[ -~]{1,500}$"
_TAG = '"[!#-~]*"'


def held_tags(values: Sequence[str]) -> frozenset[str]:
    """The entity tags of If-None-Match, as its header lines say them; `*` stands for any.

    Weak tags are compared like strong ones (RFC 9110 section 13.1.2). What is no tag is ignored:
    nothing of ours can be meant.

    Raises:
        MalformedHeader: it is empty, too long or not printable ASCII.
    """
    if not values:
        return frozenset()
    said = ", ".join(values)
    if re.fullmatch(TAGS_PATTERN, said) is None:
        raise MalformedHeader(faults=[Fault("", "malformed-header", "if-none-match")])
    return frozenset({"*"}) if said.strip() == "*" else frozenset(re.findall(_TAG, said))
