"""The two spellings that every format here uses, read strictly: one text for one value."""

import base64
import binascii
import re

MOST = (1 << 63) - 1
"""The largest size or index: what other implementations hold in a signed 64-bit number."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def encode_base64(content: bytes) -> str:
    """Standard base64 (RFC 4648 section 4) with padding."""
    return base64.b64encode(content).decode()


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 in its one canonical spelling.

    Raises:
        ValueError: it is not base64, or another spelling of the same bytes.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if encode_base64(content) != text:
        raise ValueError("base64 with stray bits")
    return content


def decode_decimal(text: str) -> int:
    """A size or index in ASCII decimal without leading zeroes, at most 2**63 - 1.

    Raises:
        ValueError: it is anything else.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > MOST:
        raise ValueError("not a decimal number in its one spelling")
    return int(text)
