"""One access record in its final bytes.

A leaf is canonical JSON (RFC 8785): clear members that are not personal, and one salted digest
(RFC 9901) for each personal member, always the same members whatever happened, so that a leaf's
shape tells nothing. The disclosures (salt, name, value) are encrypted under a key of this record
alone, derived from a monthly key outside the database. `docs/auditors/record-format.md` says the
same for other languages.
"""

import base64
import hashlib
import socket
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import NamedTuple
from uuid import UUID

import orjson
from asyncpg.pgproto import pgproto
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from dtsen.entropy import random_bytes
from dtsen.keys import Keyring, Purpose
from dtsen.tlog.merkle import leaf_hash

VERSION = 2
"""1 had no `signature`."""
SALT_BYTES = 18  # at least the 128 bits that RFC 9901 asks for, and base64 without padding
NONCE_BYTES = 12
INDEX_BYTES = 16

_MARKS = 0x7 << 76 | 0x2 << 62
_UNMARKED = ~(0xF << 76 | 0x3 << 62)
"""Version and variant of an id (RFC 9562)."""

_sha256 = hashlib.sha256
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

PERSONAL = (
    "auth",
    "case_ref",
    "fields",
    "officer",
    "q",
    "reason",
    "resp_hash",
    "signature",
    "src_ip",
    "subject",
    "subject_kk",
    "trace",
)
"""Members that are disclosed only in salted digests, null where there is nothing to say."""

SALT_LETTERS = SALT_BYTES * 4 // 3
_MEMBERS = tuple(
    (position * SALT_LETTERS, name.encode(), name) for position, name in enumerate(PERSONAL)
)

AUDITORS_ONLY = frozenset({"reason", "src_ip"})
"""Personal members that an agency never gets opened, not even in its own records."""


@cache
def software() -> str:
    """Name and version of what wrote a record."""
    return f"dtsen-api/{version('dtsen-api')}"


@cache
def node() -> str:
    """The machine that wrote a record."""
    return socket.gethostname()


def new_record_id(milliseconds: int) -> UUID:
    """A UUID version 7 (RFC 9562) of an instant in Unix milliseconds.

    It is the database driver's own kind of UUID, which is made and written twenty times as fast.
    """
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(random_bytes(10))
    return pgproto.UUID((value & _UNMARKED | _MARKS).to_bytes(16))


def record_milliseconds(record_id: UUID) -> int:
    """The Unix milliseconds inside a UUID version 7."""
    return record_id.int >> 80


class Leaf(NamedTuple):
    """A finished record: its exact bytes, their RFC 6962 leaf hash, the encrypted disclosures."""

    content: bytes
    hash: bytes
    disclosures: bytes


class RecordKeys:
    """What the keys of one month do: blind indexes, answer digests, encrypted disclosures."""

    def __init__(self, keyring: Keyring, epoch: str) -> None:
        """Take the keys of month `epoch` (`YYYY-MM`).

        Raises:
            KeyMissing: one of the month's keys is not held.
        """
        self.epoch = epoch
        self._index = _keyed(keyring.secret(Purpose.SUBJECT_INDEX, epoch))
        self._answers = _keyed(keyring.secret(Purpose.ANSWERS, epoch))
        self._disclosures = _keyed(keyring.secret(Purpose.DISCLOSURES, epoch))

    def index(self, kind: str, value: str) -> bytes:
        """The blind index (16 bytes) of a NIK, KK, officer or case reference."""
        return self._index(_indexed(kind, value))[:INDEX_BYTES]

    def packed(self, kind: str, values: Iterable[str]) -> bytes:
        """Blind indexes of many values, joined in sorted order without duplicates."""
        return b"".join(sorted({self.index(kind, value) for value in values}))

    def answer_digest(self, record_id: UUID, body: bytes) -> str:
        """The keyed digest of an answer's bytes (HMAC-SHA-256 over record id and body)."""
        return _base64(self._answers(record_id.bytes + body))

    def seal(self, record_id: UUID, disclosures: bytes) -> bytes:
        """Encrypt the disclosures of one record, joined by `~`.

        Nonce, then AES-256-GCM, record id as AAD.
        """
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self._cipher(record_id).encrypt(nonce, disclosures, record_id.bytes)

    def unseal(self, record_id: UUID, sealed: bytes) -> Sequence[bytes]:
        """The disclosures of one record.

        Raises:
            cryptography.exceptions.InvalidTag: the bytes are not what was sealed.
        """
        nonce, box = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return self._cipher(record_id).decrypt(nonce, box, record_id.bytes).split(b"~")

    def _cipher(self, record_id: UUID) -> AESGCM:
        return AESGCM(self._disclosures(b"record|" + record_id.bytes))


def blind_index(key: bytes, kind: str, value: str) -> bytes:
    """What a value is found by under a month's index key; `kind`: nik, kk, officer or case."""
    return _keyed(key)(_indexed(kind, value))[:INDEX_BYTES]


def _indexed(kind: str, value: str) -> bytes:
    return f"{kind}|{value}".encode()


def _keyed(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 under a key that is scheduled once: a third of the time of a digest anew."""
    scheduled = HMAC(key, SHA256())

    def digest(message: bytes) -> bytes:
        made = scheduled.copy()
        made.update(message)
        return made.finalize()

    return digest


def make_leaf(
    keys: RecordKeys,
    record_id: UUID,
    clear: Mapping[str, object],
    personal: Mapping[str, object],
) -> Leaf:
    """Make the leaf of a record: `clear` without floats, ASCII keys; `personal` may be partial."""
    salts = _base64url([random_bytes(SALT_BYTES * len(PERSONAL))])
    disclosures = _base64url(
        [
            b'["%b","%b",%b]'
            % (salts[start : start + SALT_LETTERS], name, orjson.dumps(personal.get(label)))
            for start, name, label in _MEMBERS
        ]
    )
    digests = _base64url([_sha256(each).digest() for each in disclosures.split(b"~")])
    content = canonical_json(
        {
            **clear,
            "v": VERSION,
            "jti": str(record_id),
            "ek": keys.epoch,
            "_sd": sorted(digests.decode().split("~")),
            "_sd_alg": "sha-256",
        }
    )
    return Leaf(content, leaf_hash(content), keys.seal(record_id, disclosures))


def canonical_json(value: object) -> bytes:
    """RFC 8785 for what a leaf holds: no floats, ASCII member names (a test compares)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def disclosure_digest(disclosure: bytes) -> str:
    """The digest of one disclosure as it stands in `_sd` (RFC 9901 section 4.2.3)."""
    return _base64url([_sha256(disclosure).digest()]).decode()


def read_disclosures(disclosures: Iterable[bytes]) -> dict[str, object]:
    """Names and values of opened disclosures."""
    opened: dict[str, object] = {}
    for disclosure in disclosures:
        _, name, value = orjson.loads(base64.urlsafe_b64decode(disclosure + b"=="))
        opened[name] = value
    return opened


def receipt(record_id: UUID, leaf: Leaf) -> str:
    """The value of `DTSEN-Access-Record`: record id and leaf hash (RFC 9651 item)."""
    return f'"{record_id}";leaf=:{_base64(leaf.hash)}:'


def _base64(content: bytes) -> str:
    return b2a_base64(content, newline=False).decode()


def _base64url(contents: Iterable[bytes]) -> bytes:
    """Base64url without padding (RFC 7515) of each, joined by `~` and so translated at once."""
    written = b"~".join([b2a_base64(content, newline=False) for content in contents])
    return written.translate(_URL_SAFE, b"=")
