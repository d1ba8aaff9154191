"""The shape of the answer about legacy ids, as JSON Schema 2020-12 (OpenAPI 3.1)."""

from typing import Any

from dtsen.legacy.advice import ADVICE
from dtsen.legacy.outcome import MOST_CANDIDATES, OUTCOMES
from dtsen.legacy.schemes import LONGEST_VALUE, SCHEME_SCHEMA
from schemas.answers import OPAQUE_ID, RELEASE
from schemas.identifiers import KK_PATTERN, NIK_PATTERN

MOST_IDENTIFIERS = 1000
"""Identifiers of one call."""

MOST_HELD = 100
"""Legacy ids of one person that an answer lists."""

_VALUE = {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _text(longest: int, description: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "description": description}


_EVIDENCE = _object(
    {
        "source": _text(100, "Data set that the link comes from."),
        "method": _text(100, "How it was made."),
        "score": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Likeness, of links that are not by number.",
        },
        "date": {"type": "string", "format": "date", "maxLength": 10},
    },
    "score",
)

_CANDIDATE = _object(
    {
        "kind": {"type": "string", "enum": ["individual", "family"]},
        "id": OPAQUE_ID,
        "nik": {"type": "string", "maxLength": 16, "pattern": NIK_PATTERN},
        "nomor_kartu_keluarga": {"type": "string", "maxLength": 16, "pattern": KK_PATTERN},
        "evidence": _EVIDENCE,
    },
    "nik",
    "nomor_kartu_keluarga",
)

_ADVICE = _object(
    {
        "code": {"type": "string", "enum": list(ADVICE)},
        "text": _text(400, "The same for people."),
        "scheme": SCHEME_SCHEMA,
        "value": {**_VALUE, "description": "The identifier that the advice is about."},
    },
    "scheme",
    "value",
)

_RESULT = _object(
    {
        "scheme": SCHEME_SCHEMA,
        "value": {**_VALUE, "description": "As it was sent."},
        "outcome": {"type": "string", "enum": list(OUTCOMES)},
        "candidates": {"type": "array", "maxItems": MOST_CANDIDATES, "items": _CANDIDATE},
        "advice": {"type": "array", "maxItems": 200, "items": _ADVICE},
    }
)

RESOLUTIONS: dict[str, Any] = _object(
    {
        "release": RELEASE,
        "results": {"type": "array", "maxItems": MOST_IDENTIFIERS, "items": _RESULT},
    }
)
"""The answer to `POST /v1/legacy/dtks/resolve`."""

_OUTCOME = {"type": "string", "enum": list(OUTCOMES)}
_HELD = _object(
    {
        "scheme": SCHEME_SCHEMA,
        "value": _VALUE,
        "outcome": {**_OUTCOME, "description": "What `resolve` says of this id."},
        "evidence": _EVIDENCE,
        "advice": {"type": "array", "maxItems": 200, "items": _ADVICE},
    }
)
_RESTRICTED = _object(
    {
        "field": {"type": "string", "enum": ["identifiers"]},
        "reason": {"type": "string", "enum": ["restricted"]},
    }
)
_OF_PERSON = _object(
    {
        "nik": {"type": "string", "maxLength": 16, "pattern": NIK_PATTERN},
        "status": {"type": "string", "enum": ["found", "not_found"]},
        "id": OPAQUE_ID,
        "identifiers": {"type": "array", "maxItems": MOST_HELD, "items": _HELD},
        "withheld": {"type": "array", "maxItems": 1, "items": _RESTRICTED},
    },
    "id",
    "identifiers",
    "withheld",
)

REVERSALS: dict[str, Any] = _object(
    {
        "release": RELEASE,
        "results": {"type": "array", "maxItems": MOST_IDENTIFIERS, "items": _OF_PERSON},
    }
)
"""The answer to `POST /v1/legacy/dtks/reverse`."""
