"""C2SP signed notes: text with Ed25519 signatures, and witnesses' cosignatures over it.

Nothing in a note may be believed before `open_note` has found a trusted key's signature good.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dtsen.tlog.encoding import MOST, decode_base64, encode_base64

ED25519 = 0x01
"""Signature type of a log's own signature."""
COSIGNATURE = 0x04
"""Signature type of a witness's timestamped cosignature (`cosignature/v1`)."""

MOST_NOTE_BYTES = 1_000_000
MOST_SIGNATURES = 100
"""The limits that Go's `sumdb/note` has."""

KEY_ID_BYTES = 4
KEY_BYTES = 32
TIME_BYTES = 8

_SIGNING = "PRIVATE+KEY+"
_MARK = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


class NoteInvalid(ValueError):
    """A note or key that is malformed, or whose signatures do not make it believable."""


class Signature(NamedTuple):
    """One signature line of a note."""

    name: str
    key_id: bytes
    value: bytes
    """What the key's type makes of it; for a cosignature, time and signature."""

    @property
    def line(self) -> str:
        """The line, with its newline."""
        return f"{_MARK}{self.name} {encode_base64(self.key_id + self.value)}\n"

    @property
    def time(self) -> int:
        """Of a cosignature: when it was made, in Unix seconds."""
        return int.from_bytes(self.value[:TIME_BYTES])


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key that signs notes under a name."""

    name: str
    kind: int
    key: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """A key from its line `<name>+<8 hex>+<base64(type || key)>`.

        Raises:
            NoteInvalid: it is malformed, of an unknown type, or its id is another key's.
        """
        found = _VKEY.fullmatch(vkey)
        if found is None:
            raise NoteInvalid("not a verifier key")
        name, key_id, encoded = found.groups()
        try:
            content = decode_base64(encoded)
        except ValueError:
            raise NoteInvalid("not a verifier key") from None
        if content[0] not in {ED25519, COSIGNATURE} or len(content) != 1 + KEY_BYTES:
            raise NoteInvalid("a verifier key of an unknown type")
        verifier = cls(name, content[0], content[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteInvalid("the id is not that of the key")
        return verifier

    def __str__(self) -> str:
        """The key's line."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes((self.kind,)) + self.key)}"

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key beside its name."""
        named = self.name.encode() + b"\n" + bytes((self.kind,)) + self.key
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    def verifies(self, text: str, value: bytes) -> bool:
        """Whether a signature's value is this key's over a text."""
        message = text.encode()
        if self.kind == COSIGNATURE:
            time, value = int.from_bytes(value[:TIME_BYTES]), value[TIME_BYTES:]
            if time > MOST:
                return False
            message = _cosigned(text, time)
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(value, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A private key that signs notes under a name."""

    def __init__(self, name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> None:
        """Take a key as a log's (`ED25519`) or a witness's (`COSIGNATURE`).

        Raises:
            NoteInvalid: the name is empty, or holds a space or a plus.
        """
        if not _is_name(name):
            raise NoteInvalid("not the name of a key")
        self._key = key
        self.verifier = Verifier(name, kind, key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, line: str) -> "Signer":
        """A key from its secret line, `PRIVATE+KEY+<name>+<8 hex>+<base64(type || seed)>`.

        Raises:
            NoteInvalid: it is malformed.
        """
        found = _VKEY.fullmatch(line.removeprefix(_SIGNING))
        try:
            content = decode_base64(found.group(3)) if found else b""
            signer = cls(
                found.group(1) if found else "",
                Ed25519PrivateKey.from_private_bytes(content[1:]),
                content[0] if content else 0,
            )
        except ValueError:
            raise NoteInvalid("not a signing key") from None
        if not line.startswith(_SIGNING) or signer.secret != line:
            raise NoteInvalid("not a signing key")
        return signer

    @property
    def secret(self) -> str:
        """The key's secret line, as Go's `sumdb/note` writes it."""
        content = bytes((self.verifier.kind,)) + self._key.private_bytes_raw()
        key_id = self.verifier.key_id.hex()
        return f"{_SIGNING}{self.verifier.name}+{key_id}+{encode_base64(content)}"

    def sign(self, text: str, time: int = 0) -> Signature:
        """Sign a text; a cosignature says that it was made at `time` (Unix seconds)."""
        if self.verifier.kind == COSIGNATURE:
            value = time.to_bytes(TIME_BYTES) + self._key.sign(_cosigned(text, time))
        else:
            value = self._key.sign(text.encode())
        return Signature(self.verifier.name, self.verifier.key_id, value)


class Note(NamedTuple):
    """A note whose form is right. Its text is believable only if `verified` is not empty."""

    text: str
    verified: Sequence[Signature]
    """By known keys, each once, and good."""
    others: Sequence[Signature]
    """By unknown keys, not looked at."""

    def signed_by(self, verifier: Verifier) -> Signature | None:
        """The good signature of a key."""
        named = (verifier.name, verifier.key_id)
        return next((one for one in self.verified if (one.name, one.key_id) == named), None)


def sign_note(text: str, signatures: Iterable[Signature]) -> bytes:
    """The bytes of a note: its text, which ends in a newline, and signature lines.

    Raises:
        NoteInvalid: the text cannot be one of a note.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteInvalid("not the text of a note")
    return f"{text}\n{''.join(one.line for one in signatures)}".encode()


def open_note(content: bytes, verifiers: Iterable[Verifier]) -> Note:
    """The text of a note that a known key signed; signatures of unknown keys are ignored.

    Raises:
        NoteInvalid: it is malformed, nobody known signed it, or a known key's signature is bad.
    """
    known = {(one.name, one.key_id): one for one in verifiers}
    text, signatures = read_note(content)
    verified: dict[tuple[str, bytes], Signature] = {}
    others = []
    for one in signatures:
        verifier = known.get((one.name, one.key_id))
        if verifier is None:
            others.append(one)
        elif (one.name, one.key_id) not in verified:
            if not verifier.verifies(text, one.value):
                raise NoteInvalid(f"a bad signature in the name of {one.name}")
            verified[one.name, one.key_id] = one
    if not verified:
        raise NoteInvalid("no known key signed this note")
    return Note(text, tuple(verified.values()), tuple(others))


def read_note(content: bytes) -> tuple[str, list[Signature]]:
    """The text and signature lines of a note, none of them judged.

    Raises:
        NoteInvalid: it is malformed.
    """
    if len(content) > MOST_NOTE_BYTES:
        raise NoteInvalid("the note is too long")
    try:
        whole = content.decode()
    except UnicodeDecodeError:
        raise NoteInvalid("the note is not UTF-8") from None
    text, blank, lines = whole.rpartition("\n\n")
    if _CONTROL.search(whole) or not blank:
        raise NoteInvalid("not a signed note")
    return text + "\n", read_signatures(lines)


def read_signatures(lines: str) -> list[Signature]:
    """Signature lines, each ended by a newline, at least one.

    Raises:
        NoteInvalid: one of them is malformed, or they are too many.
    """
    if not lines.endswith("\n") or lines.count("\n") > MOST_SIGNATURES:
        raise NoteInvalid("no signature lines, or too many")
    return [_read_signature(line) for line in lines[:-1].split("\n")]


def _read_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    try:
        content = decode_base64(encoded)
    except ValueError:
        content = b""
    if not line.startswith(_MARK) or not _is_name(name) or len(content) <= KEY_ID_BYTES:
        raise NoteInvalid("a malformed signature line")
    return Signature(name, content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)
