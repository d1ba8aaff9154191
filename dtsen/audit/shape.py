"""What an access record looks like to whoever may see it, as JSON Schema 2020-12.

Members that a viewer may not see, and members of kinds of records that have none, are absent.
"""

from typing import Any

from dtsen.audit.search import MOST_RECORDS
from dtsen.cursor import LONGEST
from schemas.identifiers import KK_PATTERN, NIK_PATTERN

MOST_SUBJECTS = 100_000
"""People that one record can name."""

Schema = dict[str, Any]


def _text(longest: int, description: str = "") -> Schema:
    return {"type": "string", "maxLength": longest, "description": description}


def _maybe(longest: int, description: str = "") -> Schema:
    return {"type": ["string", "null"], "maxLength": longest, "description": description}


def _texts(longest: int, most: int, description: str) -> Schema:
    items = {"type": "string", "maxLength": longest}
    return {
        "type": ["array", "null"],
        "maxItems": most,
        "items": items,
        "description": description,
    }


def _instant(description: str) -> Schema:
    return {"type": "string", "format": "date-time", "maxLength": 40, "description": description}


def _count(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description}


RECORD: Schema = {
    "type": "object",
    "description": "One access record: clear members of its leaf, and personal ones opened.",
    "required": ["jti", "recorded_at"],
    "properties": {
        "jti": {**_text(36, "The record's id."), "format": "uuid"},
        "recorded_at": _instant("When it became durable, by the database's clock."),
        "unopenable": {
            "type": "string",
            "enum": ["mismatch", "key-missing"],
            "description": "Present only where not all can be shown: the record is not what was"
            " written, or the key of its month is no longer held.",
        },
        "v": _count("Version of the record's form."),
        "iat": _instant("When the answer was made."),
        "typ": _text(40, "Kind of act."),
        "op": _text(80, "Operation."),
        "outcome": _text(80, "What happened, in one word."),
        "status": _count("HTTP status; 0 where there was no request."),
        "n": _count("People whose data left."),
        "agency": _maybe(64),
        "client": _maybe(64),
        "actor": _text(20, "Who set the request off: officer, subject or system."),
        "counterparty": _text(64, "Of a translation of ids: the other agency."),
        "purpose": _maybe(64),
        "legal_basis": _texts(300, 1_000, "Of the purpose."),
        "agreement": _maybe(64),
        "agreement_version": {"type": ["integer", "null"], "minimum": 1},
        "plan": _maybe(100, "Which columns, masks and rows were open."),
        "ds": _maybe(32, "Release that was read."),
        "sens": _maybe(40, "Highest sensitivity class in the answer."),
        "node": _text(300, "Machine that answered."),
        "sw": _text(100, "Software that answered."),
        "ek": _text(7, "Month of the keys."),
        "scope": _text(1_000, "Scopes of the token that was issued."),
        "act": _text(36, "Id of a two-person act."),
        "act_kind": _text(64, "What it does."),
        "key_name": _text(160, "Of an administrative act: the key it was about."),
        "act_digest": _text(64, "SHA-256 (hexadecimal) of what both signed."),
        "revision": _text(64, "Of a migration: the schema's revision after it."),
        "revision_before": _maybe(64, "Of a migration: the revision before it."),
        "config": _text(64, "Of a worker's start: SHA-256 (hexadecimal) of its settings."),
        "keys": _texts(160, 1_000, "Keys that were made."),
        "origin": _text(300, "A log: its origin."),
        "key": _text(400, "Its key, as a verifier key line."),
        "previous": _maybe(2_000, "The last checkpoint of the log before it."),
        "next_origin": _text(300, "The origin of the log after it."),
        "next_key": _text(400, "The key of the log after it."),
        "since": _count("The first leaf that was taken up again."),
        "size": _count("How many leaves the log then had."),
        "lost": _count("Leaves of which only the hash is left."),
        "count": _count("Refusals that this record stands for."),
        "minute": _text(40, "The minute in which they were counted."),
        "subject": {
            "type": "array",
            "maxItems": MOST_SUBJECTS,
            "items": {"type": "string", "maxLength": 16, "pattern": NIK_PATTERN},
            "description": "NIKs that were asked for or whose data left.",
        },
        "subject_kk": {
            "type": "array",
            "maxItems": MOST_SUBJECTS,
            "items": {"type": "string", "maxLength": 16, "pattern": KK_PATTERN},
            "description": "KKs of families that were asked for or whose data left.",
        },
        "officer": _maybe(128, "The agency's own name for the officer."),
        "case_ref": _maybe(128, "The agency's own reference of the case."),
        "fields": _texts(80, 1_000, "Variables that left; never their values."),
        "q": {"type": ["object", "null"], "description": "What was asked, beside whom."},
        "auth": {"type": ["object", "null"], "description": "How the client was known."},
        "resp_hash": _maybe(44, "Keyed digest of the answer's bytes."),
        "signature": {
            "type": ["object", "null"],
            "description": "Of a signed request (RFC 9421): `base` (what was signed), `value`"
            " (the signature, base64), `key` (thumbprint), `content` (the body), and the"
            " `disclosure` of these. Shown once the token that it covers is over.",
        },
        "trace": _maybe(55, "traceparent of the request."),
        "reason": _texts(40, MOST_SUBJECTS, "Why each was shown or not; for auditors alone."),
        "src_ip": _maybe(64, "Address of the caller; for auditors alone."),
    },
}


def page_answer(record: Schema) -> Schema:
    """Describe one page of a search; `record` may be a reference."""
    records = {"type": "array", "maxItems": MOST_RECORDS, "items": record}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["records", "complete_until", "next"],
        "properties": {
            "records": {**records, "description": "Newest first."},
            "complete_until": _instant("Nothing earlier will still appear; pages end there."),
            "next": _maybe(LONGEST, "Cursor of the next page; null on the last one."),
        },
    }
