"""`pkcs11:` URIs (RFC 7512): which module, which token, and where its PIN is."""

from pathlib import Path
from urllib.parse import unquote

from dtsen.keys.purposes import KeyRefused


def read_uri(uri: str) -> dict[str, str]:
    """The attributes of a `pkcs11:` URI, path and query alike.

    Raises:
        KeyRefused: it is none.
    """
    scheme, colon, rest = uri.partition(":")
    if scheme.lower() != "pkcs11" or not colon:
        raise KeyRefused("DTSEN_KEY_URI is no pkcs11: URI (RFC 7512)")
    path, _, query = rest.partition("?")
    parts = [part for part in (*path.split(";"), *query.split("&")) if part]
    if not all("=" in part for part in parts):
        raise KeyRefused("DTSEN_KEY_URI is no pkcs11: URI (RFC 7512)")
    pairs = [part.partition("=") for part in parts]
    return {name: unquote(value) for name, _, value in pairs}


def read_pin(said: dict[str, str]) -> str:
    """The PIN that a URI says: in the URI itself, or better in a file that it names.

    Raises:
        KeyError: neither is said.
        OSError: the file cannot be read.
    """
    if "pin-value" in said:
        return said["pin-value"]
    return (
        Path(said["pin-source"].removeprefix("file://").removeprefix("file:")).read_text().strip()
    )
