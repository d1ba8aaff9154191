"""What a proof of possession (RFC 9449) leaves behind: a mark, so that it serves once."""

from datetime import datetime
from typing import NamedTuple


class Proof(NamedTuple):
    """A proof that was shown and verified.

    `thumbprint` is its key's (RFC 7638), `mark` what is used up by the record that it comes with,
    `expires` the instant up to which it may serve. At `unused` it was surely not used yet: what a
    failover may have lost is told by that.
    """

    thumbprint: str
    mark: bytes
    expires: datetime
    unused: datetime
