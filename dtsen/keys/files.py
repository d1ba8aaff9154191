"""Keys as files `<directory>/<purpose>/<version>` that their owner alone may read.

A secret is base64 of its bytes; a signing key is PEM behind a line that says from when on it signs.
"""

import base64
import os
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from dtsen.keys.provider import KeyPair, PrivateKey, in_order
from dtsen.keys.purposes import SECRET_BYTES, KeyMissing, KeyUnsafe, Purpose

_ACTIVATES = "Activates: "
_FROM_THE_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Files:
    """The provider of sandboxes, and of whoever has no module."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def alone(self) -> AbstractContextManager[None]:
        """Nothing to keep out: a file is made whole, by the first."""
        return nullcontext()

    def versions(self, purpose: Purpose) -> Sequence[str]:
        """Versions held of a purpose, oldest first."""
        folder = self._directory / purpose
        if not folder.is_dir():
            return ()
        return in_order([path.name for path in folder.iterdir() if not path.name.startswith(".")])

    def secret(self, purpose: Purpose, version: str) -> bytes:
        """The 32 secret bytes of a purpose and version.

        Raises:
            KeyMissing, KeyUnsafe: see `Provider`.
        """
        return base64.b64decode(self._read(purpose, version))

    def pair(self, purpose: Purpose, version: str) -> KeyPair:
        """A signing key.

        Raises:
            KeyMissing, KeyUnsafe: see `Provider`.
        """
        head, mark, pem = self._read(purpose, version).decode().partition("-----BEGIN")
        stated = head.strip().removeprefix(_ACTIVATES)
        activates = datetime.fromisoformat(stated) if stated else _FROM_THE_BEGINNING
        private = load_pem_private_key((mark + pem).encode(), None)
        if not isinstance(private, EllipticCurvePrivateKey | Ed25519PrivateKey):
            raise KeyMissing(f"{purpose}/{version} is no key that signs here")
        return KeyPair(version, activates, private)

    def create_secret(self, purpose: Purpose, version: str) -> None:
        """Make a secret, unless it is held already."""
        self._create(purpose, version, base64.b64encode(secrets.token_bytes(SECRET_BYTES)))

    def create_pair(
        self, purpose: Purpose, version: str, algorithm: str, activates: datetime
    ) -> None:
        """Make a signing key, unless it is held already."""
        key: PrivateKey
        if algorithm == "ES256":
            key = generate_private_key(SECP256R1())
        else:
            key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        line = f"{_ACTIVATES}{activates.astimezone(UTC).isoformat()}\n"
        self._create(purpose, version, line.encode() + pem)

    def destroy(self, purpose: Purpose, version: str) -> None:
        """Remove the file; what its bytes were written on is the disk's to forget.

        Raises:
            KeyMissing: it is not held.
        """
        try:
            (self._directory / purpose / version).unlink()
        except FileNotFoundError:
            raise KeyMissing(f"{purpose}/{version}") from None

    def _read(self, purpose: Purpose, version: str) -> bytes:
        path = self._directory / purpose / version
        try:
            mode = path.stat().st_mode
            content = path.read_bytes()
        except FileNotFoundError:
            raise KeyMissing(f"{purpose}/{version}") from None
        if mode & 0o077:
            raise KeyUnsafe(f"{path} may be read by others; make it mode 0600")
        return content

    def _create(self, purpose: Purpose, version: str, content: bytes) -> None:
        folder = self._directory / purpose
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / version
        if path.exists():
            return
        draft = folder / f".{version}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # A link never replaces: of two processes that make the same key, the first one's stays.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
