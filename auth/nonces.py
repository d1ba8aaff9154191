"""Nonces of the server for proofs of possession (RFC 9449 8), and proofs held against them.

Stateless: an instant and a MAC under a key that all workers share. They bound how long ago a proof
was made by our own clock, whatever the client's says. They are asked for where the operator wants
them, and of everybody for half a minute after a failover, which may have lost marks of used proofs.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic

from auth.dpop import NONCE_FAULT, ProofFault, Target, read_proof, single
from dtsen.disclosure.proof import Proof
from dtsen.errors import Unavailable
from dtsen.keys import Keyring, Purpose

LIFETIME = timedelta(minutes=5)
MAC_BYTES = 16
REREAD_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 1.0
"""How soon a nonce that is not known may make us look for a new key."""


class Nonces:
    """Makes and recognises nonces; `wanted`: no proof holds without one."""

    def __init__(self, keyring: Keyring, *, wanted: bool = False) -> None:
        self.wanted = wanted
        self._keyring = keyring
        self._keys: list[bytes] = []
        self._looked_at = float("-inf")

    def make(self, now: datetime) -> str:
        """A nonce that serves for five minutes.

        Raises:
            Unavailable: there is no key for it yet.
        """
        self._look(REREAD_SECONDS)
        if not self._keys:
            raise Unavailable
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
        if not mac.isascii() or not (self._ours(instant, mac) or self._ours_anew(instant, mac)):
            return None
        return datetime.fromtimestamp(int(instant, 16) / 1000, UTC)

    def _ours(self, instant: str, mac: str) -> bool:
        return any(hmac.compare_digest(_mac(key, instant), mac) for key in self._keys)

    def _ours_anew(self, instant: str, mac: str) -> bool:
        """Whether another worker made it, by a key that is new to us."""
        return self._look(LOOK_AGAIN_SECONDS) and self._ours(instant, mac)

    def _look(self, seconds: float) -> bool:
        """Read the keys again, unless that was done within so many seconds."""
        now = monotonic()
        if now - self._looked_at < seconds:
            return False
        self._looked_at = now
        versions = self._keyring.versions(Purpose.NONCES)
        self._keys = [self._keyring.secret(Purpose.NONCES, version) for version in versions]
        return True


def nonce_needed() -> ProofFault:
    """What is told where a proof should have carried a fresh nonce."""
    return ProofFault("Use the nonce of the header DPoP-Nonce.", NONCE_FAULT)


def _mac(key: bytes, instant: str) -> str:
    digest = hmac.digest(key, f"dpop-nonce|{instant}".encode(errors="surrogatepass"), "sha256")[
        :MAC_BYTES
    ]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
