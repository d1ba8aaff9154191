"""What hostile or careless callers send, and what each must be told: status and code.

`CANARY` stands in whatever may hold text, so that an answer which repeats input shows it.
"""

import json
from dataclasses import dataclass, field

CANARY = "Kepodang7Jalak"
TEN_MEGABYTES = 10 * 1024 * 1024
NIK = "3374990101900001"
LOOKUP = "/v1/individuals/lookup"
BATCH = "/v1/individuals/batch-lookup"
GOOD = json.dumps({"nik": NIK}).encode()


@dataclass(frozen=True)
class Attempt:
    """One request and its due: status, the code of the problem, pointers or fields at fault."""

    status: int
    code: str
    content: bytes | list[bytes] | None = None
    headers: dict[str, str | bytes] = field(default_factory=dict)
    method: str = "POST"
    path: str = LOOKUP
    faults: tuple[tuple[str, str], ...] | None = None


def _json(content: bytes) -> Attempt:
    return Attempt(400, "malformed-json", content)


def _chunks(size: int) -> list[bytes]:
    return [b" " * 65_536] * (size // 65_536)


NOT_JSON = {
    "bad UTF-8": _json(b'{"nik": "\xff\xfe' + CANARY.encode() + b'"}'),
    "overlong UTF-8": _json(b'{"nik": "\xc0\xaf' + CANARY.encode() + b'"}'),
    "surrogates encoded in UTF-8": _json(b'{"nik": "\xed\xa0\x80"}'),
    "a raw NUL": _json(b'{"nik": "\x00' + CANARY.encode() + b'"}'),
    "NUL alone": _json(b"\x00"),
    "NaN": _json(b'{"nik": NaN}'),
    "Infinity": _json(b'{"nik": Infinity}'),
    "minus Infinity": _json(b'{"nik": -Infinity}'),
    "1e400": _json(b'{"nik": 1e400}'),
    "1e400 in a member nobody knows": _json(b'{"nik": "' + NIK.encode() + b'", "x": 1e400}'),
    "5,000 digits": _json(b'{"nik": ' + b"7" * 5_000 + b"}"),
    "5,000 digits with a point": _json(b'{"nik": ' + b"7" * 5_000 + b".5e9999}"),
    "a lone surrogate as value": _json(b'{"nik": "\\ud800"}'),
    "a lone surrogate as name": _json(b'{"\\udfff": 1}'),
    "a member twice": _json(b'{"nik": "' + NIK.encode() + b'", "nik": "' + CANARY.encode() + b'"}'),
    "a member twice, once escaped": _json(b'{"nik": "1", "\\u006eik": "2"}'),
    "a member twice, deep down": _json(b'{"nik": [{"a": 1, "a": 2}]}'),
    "100,000 arrays": _json(b"[" * 100_000),
    "100,000 arrays, closed": _json(b"[" * 100_000 + b"]" * 100_000),
    "100,000 objects": _json(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "nothing": _json(b""),
    "blanks": _json(b" \n\t"),
    "half an object": _json(b'{"nik": "'),
    "two values": _json(GOOD + GOOD),
    "a trailing comma": _json(b'{"nik": "' + NIK.encode() + b'",}'),
    "single quotes": _json(b"{'nik': '" + CANARY.encode() + b"'}"),
    "a comment": _json(b"/* " + CANARY.encode() + b" */" + GOOD),
    "a byte order mark": _json(b"\xef\xbb\xbf" + GOOD),
    "UTF-16": _json(json.dumps({"nik": NIK}).encode("utf-16")),
    "a form": _json(b"nik=" + CANARY.encode()),
    "a leading zero": _json(b'{"nik": 0123}'),
}


def _invalid(value: object, *faults: tuple[str, str], path: str = LOOKUP) -> Attempt:
    content = json.dumps(value).encode()
    return Attempt(422, "invalid-request", content, path=path, faults=faults or None)


INVALID = {
    "null": _invalid(None),
    "an array": _invalid([{"nik": NIK}]),
    "a text": _invalid(CANARY),
    "no member": _invalid({}, ("/nik", "missing")),
    "a NIK as number": _invalid({"nik": int(NIK)}, ("/nik", "string-type")),
    "a NIK of 15 digits": _invalid({"nik": NIK[:15]}, ("/nik", "malformed-nik")),
    "a NIK of zeros": _invalid({"nik": "0" * 16}, ("/nik", "malformed-nik")),
    "a NIK and a line": _invalid({"nik": NIK + "\n"}, ("/nik", "malformed-nik")),
    "a NIK in other digits": _invalid(
        {"nik": "".join(chr(0x0660 + int(digit)) for digit in NIK)}, ("/nik", "malformed-nik")
    ),
    "an escaped NUL": _invalid({"nik": f"\x00{CANARY}"}, ("/nik", "malformed-nik")),
    "a word for a NIK": _invalid({"nik": CANARY}, ("/nik", "malformed-nik")),
    "an object for a NIK": _invalid({"nik": {CANARY: CANARY}}, ("/nik", "string-type")),
    "a member nobody knows": _invalid({"nik": NIK, CANARY: 1}, ("", "extra-forbidden")),
    "fields as a text": _invalid({"nik": NIK, "fields": CANARY}, ("/fields", "list-type")),
    "a field nobody knows": _invalid(
        {"nik": NIK, "fields": ["nama", CANARY]}, ("/fields/1", "unknown-field")
    ),
    "a field of two sets": _invalid(
        {"nik": NIK, "fields": ["pbi_nas"]}, ("/fields/0", "ambiguous-field")
    ),
    "a field of 81 characters": _invalid(
        {"nik": NIK, "fields": ["x" * 81]}, ("/fields/0", "string-too-long")
    ),
    "101 fields": _invalid({"nik": NIK, "fields": ["nama"] * 101}, ("/fields", "too-long")),
    "a day that is none": _invalid({"nik": NIK, "as_of": "2026-02-30"}, ("/as_of", "not-a-date")),
    "a day of long ago": _invalid({"nik": NIK, "as_of": "0000-01-01"}, ("/as_of", "not-a-date")),
    "a word for a day": _invalid(
        {"nik": NIK, "as_of": CANARY}, ("/as_of", "string-pattern-mismatch")
    ),
    "no NIK in a batch": _invalid({"niks": []}, ("/niks", "too-short"), path=BATCH),
    "1,001 NIKs": _invalid({"niks": [NIK] * 1_001}, ("/niks", "too-long"), path=BATCH),
    "one bad NIK among many": _invalid(
        {"niks": [NIK] * 17 + [CANARY] + [NIK]}, ("/niks/17", "malformed-nik"), path=BATCH
    ),
}

WRONG_TYPE = {
    name: Attempt(415, "unsupported-media-type", GOOD, headers)
    for name, headers in {
        "no type": {"content-type": ""},
        "text": {"content-type": "text/plain"},
        "XML": {"content-type": "application/xml"},
        "another JSON": {"content-type": "application/vnd.api+json"},
        "a form's type": {"content-type": "application/x-www-form-urlencoded"},
        "a multipart form": {"content-type": f"multipart/form-data; boundary={CANARY}"},
        "UTF-16 declared": {"content-type": "application/json; charset=utf-16"},
        "garbage": {"content-type": f";;;={CANARY}"},
        "gzip": {"content-encoding": "gzip"},
        "an encoding nobody knows": {"content-encoding": CANARY},
    }.items()
}

TOO_LARGE = {
    "10 MB declared": Attempt(413, "body-too-large", b" " * TEN_MEGABYTES),
    "10 MB in chunks": Attempt(413, "body-too-large", _chunks(TEN_MEGABYTES)),
    "a byte too many": Attempt(413, "body-too-large", b" " * 1_048_577),
}

NOT_ACCEPTABLE = {
    name: Attempt(406, "not-acceptable", GOOD, {"accept": accept})
    for name, accept in {
        "HTML": "text/html",
        "an image": "image/*",
        "JSON of no quality": "application/json;q=0",
        "commas": f";;,,{CANARY}",
        "lines where there is one person": "application/x-ndjson",
    }.items()
}


def _header(name: str, value: str | bytes) -> Attempt:
    faults = (("", "malformed-header"),)
    return Attempt(400, "malformed-header", GOOD, {name: value}, faults=faults)


MALFORMED_HEADERS = {
    "a purpose in small letters": _header("dtsen-purpose", CANARY),
    "a purpose of 65 characters": _header("dtsen-purpose", "P" * 65),
    "an empty purpose": _header("dtsen-purpose", ""),
    "an actor nobody knows": _header("dtsen-actor", CANARY),
    "an officer with blanks": _header("dtsen-officer", f"{CANARY} {CANARY}"),
    "an officer in Latin-1": _header("dtsen-officer", "\xe9".encode("latin-1")),
    "an officer of 50,000 characters": _header("dtsen-officer", "o" * 50_000),
    "a case of 129 characters": _header("dtsen-case-ref", "c" * 129),
}

UNAUTHENTICATED = {
    name: Attempt(401, "invalid-token", GOOD, {"authorization": value})
    for name, value in {
        "no token": "Bearer",
        "another scheme": f"Basic {CANARY}",
        "a word": CANARY,
        "three parts of nothing": "Bearer a.b.c",
        "a token of 10,000 characters": f"Bearer {'a' * 10_000}",
        "bytes beyond ASCII": b"Bearer \xff\xfe\xfd",
        "an unsigned token": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vLWV4cGxvcmVyIn0.",
    }.items()
}


def _place(status: int, code: str, method: str, path: str) -> Attempt:
    return Attempt(status, code, None, method=method, path=path)


PLACES = {
    "a path nobody knows": _place(404, "not-found", "GET", f"/v1/{CANARY}"),
    "the root": _place(404, "not-found", "GET", "/"),
    "a slash too many": _place(404, "not-found", "POST", f"{LOOKUP}/"),
    "two slashes": _place(404, "not-found", "POST", "//v1/individuals/lookup"),
    "upwards": _place(404, "not-found", "GET", "/v1/%2e%2e/%2e%2e/etc/passwd"),
    "an id with a slash": _place(404, "not-found", "GET", "/v1/individuals/a%2Fb"),
    "a problem nobody knows": _place(404, "not-found", "GET", f"/problems/{CANARY}"),
    "a problem with NUL": _place(404, "not-found", "GET", "/problems/%00"),
    "an id that is NUL": _place(404, "subject-not-found", "GET", "/v1/individuals/%00"),
    "an id of bad UTF-8": _place(404, "subject-not-found", "GET", "/v1/individuals/%ff%fe"),
    "an id that is a word": _place(404, "subject-not-found", "GET", f"/v1/individuals/{CANARY}"),
    "an id of 5,000 characters": _place(
        404, "subject-not-found", "GET", f"/v1/families/{'k' * 5_000}"
    ),
    "a NIK for an id": _place(404, "subject-not-found", "GET", f"/v1/individuals/{NIK}"),
    "GET of a lookup": _place(405, "method-not-allowed", "GET", LOOKUP),
    "DELETE of a person": _place(405, "method-not-allowed", "DELETE", "/v1/individuals/a"),
    "TRACE": _place(405, "method-not-allowed", "TRACE", "/v1/dictionary"),
    "OPTIONS": _place(405, "method-not-allowed", "OPTIONS", "/v1/dictionary"),
    "PROPFIND": _place(405, "method-not-allowed", "PROPFIND", "/v1/dictionary"),
    "POST of the dictionary": _place(405, "method-not-allowed", "POST", "/v1/dictionary"),
    "a token in the URL": _place(
        400, "ambiguous-authorization", "GET", f"/v1/dictionary?access_token={CANARY}"
    ),
}


ATTEMPTS: dict[str, Attempt] = {}
"""Every attempt that goes through an HTTP client, by what it is."""
for kind in (
    NOT_JSON,
    INVALID,
    WRONG_TYPE,
    TOO_LARGE,
    NOT_ACCEPTABLE,
    MALFORMED_HEADERS,
    UNAUTHENTICATED,
    PLACES,
):
    assert not ATTEMPTS.keys() & kind.keys()
    ATTEMPTS |= kind
