"""What proofs of possession (RFC 9449) and signatures (RFC 9421) of a request leave behind.

A mark, so that each serves once; and of a signature what it takes to check it again later.
"""

from collections.abc import Mapping
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


class Signature(NamedTuple):
    """A signature of a request that was verified; `kept` is what its record says of it.

    `expires` and `unused` are as those of a proof.
    """

    mark: bytes
    expires: datetime
    unused: datetime
    kept: Mapping[str, object]
