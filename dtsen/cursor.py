"""Cursors: where a list goes on, sealed so that only its own client and query can go on there.

The text is a key version and an AES-SIV box (RFC 5297). What the cursor is bound to (operation,
client, plan, query) is authenticated with it and stands nowhere in it: under another binding it is
no cursor at all.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from dtsen.clock import Clock
from dtsen.errors import CursorExpired, InvalidCursor
from dtsen.keys import KeyMissing, Keyring, Purpose

LIFETIME = timedelta(hours=1)
LONGEST = 512
_SHAPE = re.compile(r"([1-9][0-9]{0,3})\.([A-Za-z0-9_-]{22,500})")

Binding = Mapping[str, object]
"""What a cursor belongs to: names and JSON values."""


class Cursors:
    """Makes and opens the cursors of all lists."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._cipher = lru_cache(maxsize=16)(self._derive)

    def seal(self, place: Mapping[str, str], bound: Binding) -> str:
        """A cursor at `place`, good for an hour under the same binding.

        Raises:
            KeyMissing: no key for cursors is held.
        """
        version = self._keyring.current(Purpose.CURSORS)
        expires = int((self._clock.now() + LIFETIME).timestamp())
        plain = orjson.dumps([expires, place])
        sealed = self._cipher(version).encrypt(plain, [_associated(bound)])
        return f"{version}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    def open(self, text: str, bound: Binding) -> dict[str, str]:
        """The place of a cursor.

        Raises:
            InvalidCursor: it is not ours, or belongs to another client, plan or query.
            CursorExpired: it is too old.
        """
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            raise InvalidCursor
        try:
            sealed = base64.b64decode(shape[2] + "==", altchars=b"-_")
            plain = self._cipher(shape[1]).decrypt(sealed, [_associated(bound)])
        except (binascii.Error, InvalidTag, KeyMissing):
            raise InvalidCursor from None
        expires, place = orjson.loads(plain)
        if expires <= self._clock.now().timestamp():
            raise CursorExpired
        return dict(place)

    def _derive(self, version: str) -> AESSIV:
        return AESSIV(
            hmac.digest(self._keyring.secret(Purpose.CURSORS, version), b"cursor", "sha512")
        )


def _associated(bound: Binding) -> bytes:
    return orjson.dumps(bound, option=orjson.OPT_SORT_KEYS)
