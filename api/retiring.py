"""Headers of a service that is on its way out: RFC 9745, RFC 8594 and where to go instead."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from auth.guard import Admitted
from dtsen.disclosure.mandate import Mandate
from dtsen.errors import LegacyRetired
from dtsen.legacy.retirement import check, deprecated, sunset

SUCCESSOR = "/v1/legacy/dtks/resolve"


def check_not_retired(mandate: Mandate, now: datetime, language: str) -> None:
    """Let a call pass that the agreement still lets pass.

    Raises:
        LegacyRetired, BrownOut: as they say.
    """
    if mandate.agreement is not None:
        check(mandate.agreement.terms, now, language)


def retiring_headers(issuer: str, admitted: Admitted | None) -> Iterator[tuple[bytes, bytes]]:
    """Deprecation, Link, and Sunset where the agency, and so its date, is known."""
    guide = f"{issuer}/problems/{LegacyRetired.code}"
    yield b"deprecation", f"@{int(deprecated().timestamp())}".encode()
    links = (
        f'<{guide}>; rel="deprecation"; type="text/html"',
        f'<{guide}>; rel="sunset"; type="text/html"',
        f'<{issuer}{SUCCESSOR}>; rel="successor-version"',
    )
    yield b"link", ", ".join(links).encode()
    agreement = admitted.client.agreement if admitted else None
    if agreement is not None:
        yield b"sunset", format_datetime(sunset(agreement.terms), usegmt=True).encode()


def _header(longest: int, description: str, pattern: str, *, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": longest, "pattern": pattern}
    return {"description": description, "required": required, "schema": schema}


RETIRING = {
    "Deprecation": _header(20, "Since when (RFC 9745).", "^@[0-9]+$", required=True),
    "Link": _header(600, "The guide, and what to use instead.", "^<", required=True),
    "Sunset": _header(
        40, "When it answers your agency no more (RFC 8594).", " GMT$", required=False
    ),
}
"""The same as OpenAPI has them."""
