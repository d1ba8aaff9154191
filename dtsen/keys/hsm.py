"""Keys in a hardware module behind PKCS#11, found by a `pkcs11:` URI (RFC 7512).

Private keys sign inside the module and never leave it. A secret of the house is derived inside it,
once a process and version: HMAC-SHA-256 of its name under a key that never leaves. A key is named
by its label: `dtsen/<purpose>/<version>`, of a signing key with the second from which it signs.
"""

import fcntl
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from dtsen.errors import Unavailable
from dtsen.keys.held import HeldEd25519, HeldP256
from dtsen.keys.provider import KeyPair, in_order
from dtsen.keys.purposes import SECRET_BYTES, KeyMissing, KeyRefused, Purpose
from dtsen.keys.uri import read_pin, read_uri

_PREFIX = "dtsen"
_ED25519 = bytes.fromhex("06032b6570")  # the object identifier of RFC 8410, in DER
Result = TypeVar("Result")
BEGIN_SECONDS = 1.0
"""How often the module's library is begun anew at most."""
MOMENT_SECONDS = 0.1
PATIENCE_SECONDS = 3.0

_TURN = threading.RLock()
"""Of the process, as the library is: begun anew under somebody's call, it ends the process."""


class Module:
    """The provider of production: one token of one module, one session of this process."""

    def __init__(self, uri: str, lock: Path) -> None:
        """Open a session. `lock`: a file by which processes of one machine make keys in turn.

        Raises:
            KeyRefused: the URI is none, or its token cannot be opened.
        """
        said = read_uri(uri)
        self._lock_file = lock
        self._held = threading.local()
        self._began_at = float("-inf")
        try:
            self._library = pkcs11.lib(said["module-path"])
            self._token = said["token"]
            self._pin = read_pin(said)
            self._session = self._open_patiently()
        except KeyError as missing:
            raise KeyRefused(f"the URI of the module does not say its {missing}") from None
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise KeyRefused(f"the module cannot be opened: {type(error).__name__}") from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes of this machine from making keys: they would meet half-made ones."""
        if getattr(self._held, "lock", False):
            yield
            return
        self._lock_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock_file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._held.lock = True
            try:
                yield
            finally:
                self._held.lock = False

    def versions(self, purpose: Purpose) -> Sequence[str]:
        """Versions held of a purpose, oldest first."""
        return in_order([label.split("/")[2] for label in self._labels(purpose)])

    def secret(self, purpose: Purpose, version: str) -> bytes:
        """The 32 bytes that the module derives for a purpose and version.

        Raises:
            KeyMissing: it is not held.
            Unavailable: the module does not answer.
        """

        def derive() -> bytes:
            label = f"{_PREFIX}/{purpose}/{version}"
            key = self._one(ObjectClass.SECRET_KEY, label)
            derived: bytes = key.sign(label.encode(), mechanism=Mechanism.SHA256_HMAC)
            return derived

        return self._ask(derive)

    def pair(self, purpose: Purpose, version: str) -> KeyPair:
        """A signing key; what it signs is signed in the module.

        Raises:
            KeyMissing: it is not held.
            Unavailable: the module does not answer.
        """

        def find() -> KeyPair:
            found = [each for each in self._labels(purpose) if each.split("/")[2] == version]
            if not found:
                raise KeyMissing(f"{purpose}/{version}")
            label = found[0]
            activates = datetime.fromtimestamp(int(label.split("/")[3]), UTC)
            public = self._one(ObjectClass.PUBLIC_KEY, label)
            point = public[Attribute.EC_POINT][2:]  # without the header of its DER octet string
            if public[Attribute.KEY_TYPE] == KeyType.EC:
                shown = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
                return KeyPair(version, activates, HeldP256(shown, self._signs(label)))
            edwards = Ed25519PublicKey.from_public_bytes(point)
            return KeyPair(version, activates, HeldEd25519(edwards, self._signs(label)))

        return self._ask(find)

    def create_secret(self, purpose: Purpose, version: str) -> None:
        """Make a secret that never leaves the module, unless it is held already."""
        label = f"{_PREFIX}/{purpose}/{version}"

        def make() -> None:
            self._session.generate_key(
                KeyType.GENERIC_SECRET,
                SECRET_BYTES * 8,
                store=True,
                label=label,
                template={
                    Attribute.SIGN: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                },
            )

        self._make(purpose, version, make)

    def create_pair(
        self, purpose: Purpose, version: str, algorithm: str, activates: datetime
    ) -> None:
        """Make a signing key that never leaves the module, unless it is held already."""
        label = f"{_PREFIX}/{purpose}/{version}/{int(activates.timestamp())}"
        curve = algorithm == "ES256"
        kind = KeyType.EC if curve else KeyType.EC_EDWARDS
        parameters = encode_named_curve_parameters("secp256r1") if curve else _ED25519
        how: dict[str, Any] = {}
        if not curve:
            how["mechanism"] = Mechanism.EC_EDWARDS_KEY_PAIR_GEN

        def make() -> None:
            domain = self._session.create_domain_parameters(
                kind, {Attribute.EC_PARAMS: parameters}, local=True
            )
            domain.generate_keypair(
                store=True,
                label=label,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
                **how,
            )

        self._make(purpose, version, make)

    def destroy(self, purpose: Purpose, version: str) -> None:
        """Destroy a key in the module.

        Raises:
            KeyMissing: it is not held.
            Unavailable: the module does not answer.
        """

        def end() -> None:
            labels = [each for each in self._labels(purpose) if each.split("/")[2] == version]
            if not labels:
                raise KeyMissing(f"{purpose}/{version}")
            for held in list(self._session.get_objects({Attribute.LABEL: labels[0]})):
                held.destroy()

        self._ask(end)

    def _signs(self, label: str) -> Callable[[bytes, bool], bytes]:
        def sign(data: bytes, digested: bool) -> bytes:  # noqa: FBT001 - two mechanisms
            def ask() -> bytes:
                mechanism = Mechanism.ECDSA if digested else Mechanism.EDDSA
                content = hashlib.sha256(data).digest() if digested else data
                try:
                    key = self._one(ObjectClass.PRIVATE_KEY, label)
                except KeyMissing:
                    raise pkcs11.PKCS11Error from None  # it was there: the module itself is gone
                signature: bytes = key.sign(content, mechanism=mechanism)
                return signature

            return self._ask(ask)

        return sign

    def _labels(self, purpose: Purpose) -> list[str]:
        def find() -> list[str]:
            kinds = (ObjectClass.SECRET_KEY, ObjectClass.PUBLIC_KEY)
            found = [
                each.label
                for kind in kinds
                for each in self._session.get_objects({Attribute.CLASS: kind})
            ]
            return [label for label in found if label.split("/")[:2] == [_PREFIX, purpose.value]]

        return self._ask(find)

    def _one(self, kind: ObjectClass, label: str) -> Any:  # noqa: ANN401 - the library's own kinds
        wanted = {Attribute.CLASS: kind, Attribute.LABEL: label}
        for found in list(self._session.get_objects(wanted)):
            return found
        raise KeyMissing(label.removeprefix(f"{_PREFIX}/"))

    def _make(self, purpose: Purpose, version: str, make: Callable[[], None]) -> None:
        """A module takes two keys of one label: whoever makes one looks and makes alone."""

        def once() -> None:
            if version not in self.versions(purpose):
                make()

        with self.alone():
            self._ask(once)

    def _ask(self, work: Callable[[], Result]) -> Result:
        """Do something in the session; in a new one where the module ended it meanwhile.

        A module that was away and is back is met by its library only when that begins anew.
        """
        with _TURN:
            for again in (self._as_it_is, self._open, self._begin_anew, self._wait_and_open):
                try:
                    self._session = again()
                    return work()
                except pkcs11.PKCS11Error:
                    continue
            raise Unavailable

    def _as_it_is(self) -> Any:  # noqa: ANN401 - the library's own kind
        return self._session

    def _begin_anew(self) -> Any:  # noqa: ANN401 - the library's own kind
        """A session of the library as if just loaded; not over and over while the module is away.

        Raises:
            pkcs11.PKCS11Error: the module does not answer, or did not a moment ago.
        """
        now = time.monotonic()
        if now - self._began_at < BEGIN_SECONDS:
            raise pkcs11.PKCS11Error
        self._began_at = now
        self._library.reinitialize()
        return self._open()

    def _wait_and_open(self) -> Any:  # noqa: ANN401 - the library's own kind
        """A session after a moment, in which another process may have been making a key."""
        time.sleep(MOMENT_SECONDS)
        return self._open()

    def _open_patiently(self) -> Any:  # noqa: ANN401 - the library's own kind
        """The first session: modules are busy while several processes start at once.

        Raises:
            pkcs11.PKCS11Error: the module stays away, or refuses.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with _TURN:
                try:
                    return self._open()
                except (pkcs11.PinIncorrect, pkcs11.PinLocked):
                    raise  # asked again, it might lock the token
                except pkcs11.PKCS11Error:
                    if time.monotonic() > deadline:
                        raise
                self._library.reinitialize()
            time.sleep(MOMENT_SECONDS)

    def _open(self) -> Any:  # noqa: ANN401 - the library's own kind
        token = self._library.get_token(token_label=self._token)
        try:
            return token.open(rw=True, user_pin=self._pin)
        except pkcs11.UserAlreadyLoggedIn:  # by another session of this process
            return token.open(rw=True)
