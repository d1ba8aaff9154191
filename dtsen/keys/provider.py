"""What keeps keys: files of one directory, or a hardware module behind PKCS#11."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dtsen.keys.purposes import Purpose

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey
"""A key that signs, wherever it is kept; one of a module signs there and cannot be exported."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One version of a signing key; it signs from `activates` on, and is published before."""

    version: str
    activates: datetime
    private: PrivateKey


class Provider(Protocol):
    """Keeps keys by purpose and version; of two that make the same key, the first one's stays."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes of this machine from making keys meanwhile, if need be."""

    def versions(self, purpose: Purpose) -> Sequence[str]:
        """Versions held of a purpose, oldest first."""

    def secret(self, purpose: Purpose, version: str) -> bytes:
        """The 32 secret bytes of a purpose and version.

        Raises:
            KeyMissing: it is not held.
            KeyUnsafe: others may read it.
        """

    def pair(self, purpose: Purpose, version: str) -> KeyPair:
        """A signing key.

        Raises:
            KeyMissing: it is not held.
            KeyUnsafe: others may read it.
        """

    def create_secret(self, purpose: Purpose, version: str) -> None:
        """Make a secret, unless it is held already."""

    def create_pair(
        self, purpose: Purpose, version: str, algorithm: str, activates: datetime
    ) -> None:
        """Make a signing key for ES256 or Ed25519, unless it is held already."""

    def destroy(self, purpose: Purpose, version: str) -> None:
        """End a key for good.

        Raises:
            KeyMissing: it is not held.
        """


def in_order(versions: Sequence[str]) -> list[str]:
    """Versions oldest first: `2` before `10`, `2026-09` before `2026-10`."""
    return sorted(set(versions), key=lambda name: (len(name), name))
