"""Every key of the house, by purpose and version.

A key is named by what it is for and by its version; ids, cursors, tokens and leaves carry that
version, so that old ones still open after a rotation. Two providers keep keys behind one interface:
files of a directory that only its owner may enter, and a module behind PKCS#11.
"""

from pathlib import Path

from dtsen.keys.hsm import Module
from dtsen.keys.keyring import LEAD, REREAD_SECONDS, RETIRED_AFTER, Keyring, SigningKey
from dtsen.keys.provider import KeyPair, Provider
from dtsen.keys.purposes import (
    COUNTED,
    MONTHLY,
    PUBLISHED,
    SIGNING,
    KeyMissing,
    KeyRefused,
    KeyUnsafe,
    Purpose,
)

__all__ = [
    "COUNTED",
    "LEAD",
    "MONTHLY",
    "PUBLISHED",
    "REREAD_SECONDS",
    "RETIRED_AFTER",
    "SANDBOX_MARK",
    "SIGNING",
    "KeyMissing",
    "KeyPair",
    "KeyRefused",
    "KeyUnsafe",
    "Keyring",
    "Provider",
    "Purpose",
    "SigningKey",
    "open_keyring",
]

SANDBOX_MARK = "SANDBOX"
"""Name of a file beside the keys of a demo: production refuses them."""


def open_keyring(directory: Path, uri: str | None) -> Keyring:
    """The keys of a module where a `pkcs11:` URI is given, else those of a directory.

    Raises:
        KeyRefused: the URI names no module that can be reached.
    """
    return Keyring(directory) if uri is None else Keyring(Module(uri, directory / ".making"))
