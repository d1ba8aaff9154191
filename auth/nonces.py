"""Nonces of the server for proofs of possession (RFC 9449 8), where the operator wants them.

Stateless: an instant and a MAC under a key that all workers share. They bound how long ago a proof
was made by our own clock, whatever the client's says.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from auth.dpop import NONCE_FAULT, ProofFault
from dtsen.keys import Keyring, Purpose

LIFETIME = timedelta(minutes=5)
MAC_BYTES = 16


class Nonces:
    """Makes and recognises nonces."""

    def __init__(self, keyring: Keyring) -> None:
        self._keys = [
            keyring.secret(Purpose.NONCES, version) for version in keyring.versions(Purpose.NONCES)
        ]

    def make(self, now: datetime) -> str:
        """A nonce that serves for five minutes."""
        instant = f"{int(now.timestamp()):x}"
        return f"{instant}.{_mac(self._keys[-1], instant)}"

    def hold(self, nonce: str | None, now: datetime) -> None:
        """Take a nonce of ours that still serves.

        Raises:
            ProofFault: it is none, or too old.
        """
        instant, _, mac = (nonce or "").partition(".")
        ours = mac.isascii() and any(
            hmac.compare_digest(_mac(key, instant), mac) for key in self._keys
        )
        if not ours or now.timestamp() - int(instant, 16) > LIFETIME.total_seconds():
            raise ProofFault("Use the nonce of the header DPoP-Nonce.", NONCE_FAULT)


def _mac(key: bytes, instant: str) -> str:
    digest = hmac.digest(key, f"dpop-nonce|{instant}".encode(errors="surrogatepass"), "sha256")[
        :MAC_BYTES
    ]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
