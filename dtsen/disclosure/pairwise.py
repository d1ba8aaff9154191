"""Opaque ids: stable for one agency, meaningless to another, versioned.

An id is the NIK or KK under AES-SIV (RFC 5297: deterministic and authenticated) with a key that
belongs to one agency and kind, so that no table of 289 million people times hundreds of agencies
is needed, two agencies cannot join on their ids, and a forged id opens nothing. The key's version
stands in the id: ids already issued still resolve after an agency got a new key.
"""

import base64
import binascii
import hmac
import re
from enum import StrEnum
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from dtsen.keys import KeyMissing, Keyring, Purpose


class Kind(StrEnum):
    """What an id stands for: a person (by NIK) or a family (by KK)."""

    INDIVIDUAL = "i"
    FAMILY = "k"


ID_PATTERN = r"^[ik][1-9][0-9]{0,3}-[A-Za-z0-9_-]{42,43}$"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SHAPE = re.compile(r"([ik])([1-9][0-9]{0,3})-([A-Za-z0-9_-]{42,43})")


class PairwiseIds:
    """Makes and resolves the ids of all agencies."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._cipher = cache(self._derive)

    def of(self, agency: str, version: str, kind: Kind, identifier: str) -> str:
        """The id by which one agency knows the person or family of a NIK or KK.

        Raises:
            KeyMissing: the pairwise key of this version is not held.
        """
        sealed = self._cipher(agency, version, kind).encrypt(identifier.encode(), None)
        return f"{kind}{version}-{_written(sealed)}"

    def resolve(self, agency: str, kind: Kind, text: str) -> str | None:
        """The NIK or KK behind an id, or None when it is not an id of this agency and kind."""
        shape = _SHAPE.fullmatch(text)
        if shape is None or shape[1] != kind:
            return None
        try:
            padded = shape[3] + "=" * (-len(shape[3]) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
            if _written(sealed) != shape[3]:
                return None  # the last letter has bits that say nothing: an id is one text alone
            return self._cipher(agency, shape[2], kind).decrypt(sealed, None).decode()
        except (binascii.Error, InvalidTag, KeyMissing):
            return None

    def tag(self, agency: str, body: bytes) -> str:
        """An entity tag of an answer's bytes that means nothing to another agency."""
        key = self._keyring.secret(Purpose.PAIRWISE, "1")
        digest = hmac.digest(key, f"etag|{agency}|".encode() + body, "sha256")
        return _written(digest[:16])

    def _derive(self, agency: str, version: str, kind: Kind) -> AESSIV:
        master = self._keyring.secret(Purpose.PAIRWISE, version)
        return AESSIV(hmac.digest(master, f"pairwise|{kind}|{agency}".encode(), "sha512"))


def _written(sealed: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return binascii.b2a_base64(sealed, newline=False).translate(_URL_SAFE, b"=").decode()
