"""The only writer of error bodies: application/problem+json (RFC 9457), in the caller's language.

Nothing that a caller sent is echoed; an unknown failure says nothing but that it is ours.
"""

import orjson

from dtsen.errors import DtsenError

MEDIA_TYPE = "application/problem+json"


def problem_body(error: DtsenError, *, issuer: str, instance: str, language: str) -> bytes:
    """The body of an error; `instance` is the request id (a UUID)."""
    document: dict[str, object] = {
        "type": f"{issuer}/problems/{error.code}",
        "title": error.title.spoken(language),
        "status": error.status,
        "detail": error.detail.spoken(language),
        "instance": f"urn:uuid:{instance}",
        "errors": [
            {
                "pointer": fault.pointer,
                "code": fault.code,
                **({"field": fault.field} if fault.field else {}),
            }
            for fault in error.faults
        ],
    }
    return orjson.dumps(document | error.members)


def spoken_language(accept_language: str | None) -> str:
    """`en` when Accept-Language prefers English, else `id` (contract: Indonesian first)."""
    first = (accept_language or "").partition(",")[0].partition(";")[0].strip().lower()
    return "en" if first == "en" or first.startswith("en-") else "id"
