"""Nonces of the server for proofs of possession (RFC 9449 8), and proofs held against them.

Stateless: an instant and a MAC under a key that all workers share. They bound how long ago a proof
was made by our own clock, whatever the client's says. They are asked for where the operator wants
them, and of everybody for half a minute after a failover, which may have lost marks of used proofs.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from auth.dpop import NONCE_FAULT, ProofFault, Target, read_proof, single
from dtsen.disclosure.proof import Proof
from dtsen.keys import Keyring, Purpose

LIFETIME = timedelta(minutes=5)
MAC_BYTES = 16


class Nonces:
    """Makes and recognises nonces; `wanted`: no proof holds without one."""

    def __init__(self, keyring: Keyring, *, wanted: bool = False) -> None:
        self.wanted = wanted
        self._keys = [
            keyring.secret(Purpose.NONCES, version) for version in keyring.versions(Purpose.NONCES)
        ]

    def make(self, now: datetime) -> str:
        """A nonce that serves for five minutes."""
        instant = f"{int(now.timestamp() * 1000):x}"
        return f"{instant}.{_mac(self._keys[-1], instant)}"

    def prove(self, headers: Sequence[bytes], target: Target, now: datetime) -> Proof:
        """The proof of a request's DPoP headers.

        Raises:
            ProofFault: there is none, it does not hold, or it lacks a nonce that is wanted.
        """
        proof, nonce = read_proof(single(headers), target, now)
        made = self._made(nonce) if nonce else None
        if self.wanted and (made is None or now - made > LIFETIME):
            raise nonce_needed()
        return proof if made is None else proof._replace(unused=max(proof.unused, made))

    def _made(self, nonce: str) -> datetime | None:
        """When we made a nonce; None if we did not."""
        instant, _, mac = nonce.partition(".")
        if not mac.isascii() or not any(
            hmac.compare_digest(_mac(key, instant), mac) for key in self._keys
        ):
            return None
        return datetime.fromtimestamp(int(instant, 16) / 1000, UTC)


def nonce_needed() -> ProofFault:
    """What is told where a proof should have carried a fresh nonce."""
    return ProofFault("Use the nonce of the header DPoP-Nonce.", NONCE_FAULT)


def _mac(key: bytes, instant: str) -> str:
    digest = hmac.digest(key, f"dpop-nonce|{instant}".encode(errors="surrogatepass"), "sha256")[
        :MAC_BYTES
    ]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
