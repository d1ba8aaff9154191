"""A request as it is sent, spoiled as it is to be."""

import json
from typing import Any

from tests.differential.worlds import SECRET, Ask

LISTS = ("niks", "ids")


def accepted(ask: Ask) -> str:
    """What a request accepts."""
    if ask.spoil == "not-acceptable":
        return "text/html"
    return "application/x-ndjson" if ask.ndjson else "application/json"


def body_of(ask: Ask) -> bytes:
    """The body of a request, spoiled as it is to be."""
    name = str(ask.call.number)
    subjects: list[Any] = list(ask.subjects)
    if ask.spoil == "malformed-number":
        subjects[-1] = SECRET
    elif ask.spoil == "number-as-integer":
        subjects[-1] = int(subjects[-1]) if subjects[-1].isdecimal() else 7
    body: dict[str, Any] = {name: subjects if name in LISTS else subjects[0]}
    if ask.source is not None:
        body["from"] = ask.source
    if ask.fields is not None:
        body["fields"] = list(ask.fields)
    if ask.as_of is not None:
        body["as_of"] = ask.as_of
    if ask.spoil == "extra-member":
        body[SECRET] = SECRET
    text = json.dumps(body)
    if ask.spoil == "not-json":
        text = text[:-1] + SECRET
    elif ask.spoil == "doubled-member":
        text = text[:-1] + f', "{name}": "{SECRET}"}}'
    return text.encode()
