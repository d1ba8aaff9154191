"""Why a signature does not hold, in words of ours: nothing that was sent is repeated."""

from typing import Literal

Why = Literal[
    "malformed",
    "several-signatures",
    "missing-parameter",
    "malformed-parameter",
    "missing-component",
    "unknown-component",
    "wrong-tag",
    "wrong-algorithm",
    "not-now",
    "unknown-key",
    "wrong-digest",
    "wrong-signature",
    "used-before",
]


class SignatureFault(Exception):
    """A signature that does not hold.

    `why` is one of the words above; `field` names the component, parameter or header it is about,
    always one that the profile knows.
    """

    def __init__(self, why: Why, field: str | None = None) -> None:
        super().__init__(f"{why}: {field}" if field else why)
        self.why = why
        self.field = field
