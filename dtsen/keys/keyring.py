"""The keys of an installation: which one serves now, which are published, how they are followed.

Signing keys are published before they sign and for a while after, so that whoever holds an older
JWK set or an older token is never wrong. Running processes look for new ones every few seconds;
nothing is restarted.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from joserfc.jwk import ECKey, KeyParameters, OKPKey

from dtsen.clock import key_epoch, next_key_epoch
from dtsen.keys.files import Files
from dtsen.keys.held import HeldEd25519, HeldP256
from dtsen.keys.provider import KeyPair, Provider
from dtsen.keys.purposes import (
    COUNTED,
    MONTHLY,
    PUBLISHED,
    SIGNING,
    KeyMissing,
    KeyRefused,
    Purpose,
)

REREAD_SECONDS = 10.0
"""How old a process's knowledge of signing keys may be."""
LOOK_AGAIN_SECONDS = 1.0
"""How soon a name that is not known may make it look again."""
LEAD = timedelta(minutes=15)
"""How long a new signing key is published before it signs: a JWK set may be kept 5 minutes."""
RETIRED_AFTER = timedelta(minutes=10)
"""How long a key stays published once its successor signs: twice the life of a token."""

SigningKey = ECKey | OKPKey


class Keyring:
    """Keys by purpose and version, wherever they are kept."""

    def __init__(self, source: Provider | Path) -> None:
        """Take a provider, or the directory of key files."""
        self._provider = Files(source) if isinstance(source, Path) else source
        self._secrets: dict[tuple[Purpose, str], bytes] = {}
        self._read_at: dict[Purpose, float] = {}
        self._pairs: dict[Purpose, Mapping[str, tuple[KeyPair, SigningKey]]] = {}
        self._reading = threading.Lock()

    def ensure(self, now: datetime) -> Sequence[str]:
        """Make what is missing: version 1 of each purpose, this month's keys and the next's.

        What is held now and was not before, as `purpose/version`.
        """
        with self._provider.alone():
            before = set(self._names())
            for purpose in MONTHLY:
                for version in (key_epoch(now), next_key_epoch(now)):
                    self._provider.create_secret(purpose, version)
            for purpose in COUNTED:
                self._provider.create_secret(purpose, "1")
            for purpose in PUBLISHED:
                if not self.versions(purpose):
                    self._provider.create_pair(purpose, "1", SIGNING[purpose], now)
            return [name for name in self._names() if name not in before]

    def _names(self) -> Sequence[str]:
        return [f"{one}/{version}" for one in Purpose for version in self.versions(one)]

    def secret(self, purpose: Purpose, version: str) -> bytes:
        """The 32 secret bytes of a purpose and version.

        Raises:
            KeyMissing: it is not held.
            KeyUnsafe: others may read it.
        """
        held = self._secrets.get((purpose, version))
        if held is None:
            held = self._secrets[purpose, version] = self._provider.secret(purpose, version)
        return held

    def versions(self, purpose: Purpose) -> Sequence[str]:
        """Versions held of a purpose, oldest first."""
        return self._provider.versions(purpose)

    def current(self, purpose: Purpose) -> str:
        """The newest version of a counted purpose.

        Raises:
            KeyMissing: none is held.
        """
        versions = self.versions(purpose)
        if not versions:
            raise KeyMissing(purpose)
        return versions[-1]

    def signing_key(self, purpose: Purpose, now: datetime) -> SigningKey:
        """The key that signs now, with its `kid`.

        Raises:
            KeyMissing: none is held.
        """
        ready = [key for pair, key in self._held(purpose).values() if pair.activates <= now]
        if not ready:
            raise KeyMissing(purpose)
        return ready[-1]

    def published_keys(self, purpose: Purpose, now: datetime) -> Sequence[SigningKey]:
        """The keys by which a signature may be checked now, oldest first.

        Raises:
            KeyMissing: none is held.
        """
        held = list(self._held(purpose).values())
        if not held:
            raise KeyMissing(purpose)
        successors = [pair.activates + RETIRED_AFTER for pair, _ in held[1:]]
        ended = sum(end <= now for end in successors)
        return [key for _, key in held[ended:]]

    def published_key(self, purpose: Purpose, kid: str, now: datetime) -> SigningKey | None:
        """One of the published keys by its `kid`; one not known yet is looked for at once."""
        for fresh in (False, True):
            if fresh and time.monotonic() - self._read_at.get(purpose, 0.0) < LOOK_AGAIN_SECONDS:
                return None
            if fresh:
                self._read_at.pop(purpose, None)
            with suppress(KeyMissing):
                for key in self.published_keys(purpose, now):
                    if key.kid == kid:
                        return key
        return None

    def ensure_checkpoint_key(self, year: int) -> None:
        """Make the first key of a year's log where there is none; versions are `<year>-<n>`."""
        if not any(each.startswith(f"{year}-") for each in self.versions(Purpose.CHECKPOINTS)):
            algorithm = SIGNING[Purpose.CHECKPOINTS]
            first = datetime(year, 1, 1, tzinfo=UTC)
            self._provider.create_pair(Purpose.CHECKPOINTS, f"{year}-1", algorithm, first)

    def checkpoint_pairs(self, year: int) -> Sequence[KeyPair]:
        """The keys that sign the checkpoints of a year's log, oldest first; may be none."""
        found = self.pairs(Purpose.CHECKPOINTS)
        return [pair for pair in found if pair.version.startswith(f"{year}-")]

    def pairs(self, purpose: Purpose) -> Sequence[KeyPair]:
        """All signing keys held of a purpose, oldest first, as they are now."""
        return [self._provider.pair(purpose, version) for version in self.versions(purpose)]

    def rotate(self, purpose: Purpose, now: datetime, lead: timedelta = LEAD) -> str:
        """Make the next version of a purpose; a signing key begins to sign after `lead`.

        Raises:
            KeyRefused: its keys change by themselves, or the last rotation has not begun.
        """
        if purpose in MONTHLY:
            raise KeyRefused(f"{purpose} has a key of each month, made by itself")
        if purpose is Purpose.CHECKPOINTS:
            version = next_of_year(self.versions(purpose), now.year)
        else:
            version = str(int((self.versions(purpose) or ("0",))[-1]) + 1)
        if purpose not in SIGNING:
            self._provider.create_secret(purpose, version)
            return version
        held = self.pairs(purpose)
        if held and held[-1].activates > now:
            raise KeyRefused(f"version {held[-1].version} has not begun to sign yet")
        begins = now + lead if held else now
        self._provider.create_pair(purpose, version, SIGNING[purpose], begins)
        return version

    def destroy(self, purpose: Purpose, version: str) -> None:
        """End one key for good; processes that hold it forget it when they look again.

        Raises:
            KeyMissing: it is not held.
        """
        self._provider.destroy(purpose, version)
        self._secrets.pop((purpose, version), None)
        self._read_at.pop(purpose, None)

    def _held(self, purpose: Purpose) -> Mapping[str, tuple[KeyPair, SigningKey]]:
        if time.monotonic() - self._read_at.get(purpose, float("-inf")) < REREAD_SECONDS:
            return self._pairs[purpose]
        with self._reading:
            known = self._pairs.get(purpose, {})
            held = {
                version: known.get(version) or self._read(purpose, version)
                for version in self.versions(purpose)
            }
            self._pairs[purpose], self._read_at[purpose] = held, time.monotonic()
        return held

    def _read(self, purpose: Purpose, version: str) -> tuple[KeyPair, SigningKey]:
        pair = self._provider.pair(purpose, version)
        return pair, as_jwk(pair, f"{purpose}-{version}")


def as_jwk(pair: KeyPair, kid: str) -> SigningKey:
    """A key as the JOSE library wants it; one held elsewhere is shown by its public part alone."""
    private = pair.private
    held = isinstance(private, HeldP256 | HeldEd25519)
    marks: KeyParameters = {"use": "sig", "kid": kid}
    if isinstance(private, EllipticCurvePrivateKey):
        p256 = ECKey(private.public_key() if held else private, b"")
        return ECKey(private, p256.as_dict(not held), marks | KeyParameters(alg="ES256"))
    edwards = OKPKey(private.public_key() if held else private, b"")
    return OKPKey(private, edwards.as_dict(not held), marks | KeyParameters(alg="Ed25519"))


def next_of_year(versions: Sequence[str], year: int) -> str:
    """The next version `<year>-<n>` of a purpose whose versions are counted by year."""
    numbers = [int(each.partition("-")[2]) for each in versions if each.startswith(f"{year}-")]
    return f"{year}-{max(numbers, default=0) + 1}"
