"""Receipts: what shows that a call was recorded, kept where `dtsen audit verify --mine` reads."""

import os
import re
from collections.abc import Callable
from pathlib import Path

HEADER = "DTSEN-Access-Record"

_RECORD = re.compile(r'"([0-9a-f-]{36})";')

Keep = Callable[[str], None]
"""Takes the value of `DTSEN-Access-Record` of each answer, before the answer is given back."""


def record_of(receipt: str | None) -> str | None:
    """The id of the record that a receipt is for."""
    found = _RECORD.match(receipt or "")
    return found[1] if found else None


def appended_to(file: Path) -> Keep:
    """Keeps receipts in a file, one a line, which several processes may share.

    The file is made readable by its owner alone. OSError: it cannot be written.
    """

    def keep(receipt: str) -> None:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{receipt}\n".encode())
        finally:
            os.close(descriptor)

    return keep


def nowhere(_receipt: str) -> None:
    """Keep no receipt."""
