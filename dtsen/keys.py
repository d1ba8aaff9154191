"""Every key of the house, by purpose and version.

A key is named by what it is for and by its version; ids, cursors, tokens and leaves carry that
version, so that old ones still open after a rotation. This module keeps keys as files of one
directory that only its owner may enter; a hardware module is another provider behind the same
methods.
"""

import base64
import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import ECKey

from dtsen.clock import key_epoch, next_key_epoch

SECRET_BYTES = 32


class Purpose(StrEnum):
    """What a key is for. One key serves one purpose only."""

    TOKENS = "tokens"
    PAIRWISE = "pairwise"
    CURSORS = "cursors"
    SUBJECT_INDEX = "subject-index"
    DISCLOSURES = "disclosures"
    ANSWERS = "answers"
    REPEATS = "repeats"
    CHECKPOINTS = "checkpoints"
    NONCES = "nonces"
    LEGACY_INDEX = "legacy-index"


MONTHLY = (Purpose.SUBJECT_INDEX, Purpose.DISCLOSURES, Purpose.ANSWERS)
"""Purposes whose version is a month, `YYYY-MM`; the others count 1, 2, 3."""
COUNTED = (Purpose.PAIRWISE, Purpose.CURSORS, Purpose.REPEATS, Purpose.NONCES, Purpose.LEGACY_INDEX)
SANDBOX_MARK = "SANDBOX"
"""Name of a file beside the keys of a demo: production refuses them."""


class KeyMissing(LookupError):
    """No key of this purpose and version is held; nothing that needs it may go on."""


class KeyUnsafe(PermissionError):
    """Others than the owner may read a key file."""


class Keyring:
    """Keys as files `<directory>/<purpose>/<version>`, readable by their owner alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._secrets: dict[tuple[Purpose, str], bytes] = {}

    def ensure(self, now: datetime) -> None:
        """Make what is missing: version 1 of each purpose, this month's keys and the next's."""
        for purpose in MONTHLY:
            for version in (key_epoch(now), next_key_epoch(now)):
                self._create(purpose, version, secrets.token_bytes(SECRET_BYTES))
        for purpose in COUNTED:
            self._create(purpose, "1", secrets.token_bytes(SECRET_BYTES))
        if not self.versions(Purpose.TOKENS):
            self._create(Purpose.TOKENS, "1", ECKey.generate_key("P-256").as_pem(private=True))

    def secret(self, purpose: Purpose, version: str) -> bytes:
        """The 32 secret bytes of a purpose and version.

        Raises:
            KeyMissing: it is not held.
            KeyUnsafe: others may read it.
        """
        held = self._secrets.get((purpose, version))
        if held is None:
            held = self._secrets[purpose, version] = self._read(purpose, version)
        return held

    def versions(self, purpose: Purpose) -> Sequence[str]:
        """Versions held of a purpose, oldest first."""
        folder = self._directory / purpose
        if not folder.is_dir():
            return ()
        names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        return sorted(names, key=lambda name: (len(name), name))

    def current(self, purpose: Purpose) -> str:
        """The newest version of a counted purpose.

        Raises:
            KeyMissing: none is held.
        """
        versions = self.versions(purpose)
        if not versions:
            raise KeyMissing(purpose)
        return versions[-1]

    def signing_key(self, purpose: Purpose) -> ECKey:
        """The newest signing key (P-256, for ES256), with its `kid`.

        Raises:
            KeyMissing: none is held.
        """
        return self.signing_keys(purpose)[-1]

    def signing_keys(self, purpose: Purpose) -> Sequence[ECKey]:
        """All signing keys held of a purpose, oldest first.

        Raises:
            KeyMissing: none is held.
        """
        keys = [
            ECKey.import_key(
                self._read(purpose, version).decode(),
                {"use": "sig", "alg": "ES256", "kid": f"{purpose}-{version}"},
            )
            for version in self.versions(purpose)
        ]
        if not keys:
            raise KeyMissing(purpose)
        return keys

    def ensure_checkpoint_key(self, year: int) -> None:
        """Make the first key of a year's log where there is none; versions are `<year>-<n>`."""
        self._create(Purpose.CHECKPOINTS, f"{year}-1", secrets.token_bytes(SECRET_BYTES))

    def checkpoint_keys(self, year: int) -> Sequence[Ed25519PrivateKey]:
        """The keys that sign the checkpoints of a year's log, oldest first.

        Raises:
            KeyMissing: none is held.
        """
        versions = [
            version
            for version in self.versions(Purpose.CHECKPOINTS)
            if version.startswith(f"{year}-")
        ]
        if not versions:
            raise KeyMissing(f"{Purpose.CHECKPOINTS}/{year}-1")
        return [
            Ed25519PrivateKey.from_private_bytes(self.secret(Purpose.CHECKPOINTS, version))
            for version in versions
        ]

    def _read(self, purpose: Purpose, version: str) -> bytes:
        path = self._directory / purpose / version
        try:
            mode = path.stat().st_mode
            content = path.read_bytes()
        except FileNotFoundError:
            raise KeyMissing(f"{purpose}/{version}") from None
        if mode & 0o077:
            raise KeyUnsafe(f"{path} may be read by others; make it mode 0600")
        return content if purpose is Purpose.TOKENS else base64.b64decode(content)

    def _create(self, purpose: Purpose, version: str, content: bytes) -> None:
        folder = self._directory / purpose
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / version
        if path.exists():
            return
        draft = folder / f".{version}.{secrets.token_hex(8)}"
        encoded = content if purpose is Purpose.TOKENS else base64.b64encode(content)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(encoded)
                file.flush()
                os.fsync(file.fileno())
            # A link never replaces: of two processes that make the same key, the first one's stays.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
