"""What schemathesis is told of this API: its tokens, its streams. Loaded by SCHEMATHESIS_HOOKS."""

import json
import os
import re
from collections import deque
from pathlib import Path
from secrets import token_hex
from uuid import uuid4

import httpx2
import schemathesis
from schemathesis.core.parameters import ParameterLocation

from api.document import DIGEST, SIGNED
from dtsen.client.tokens import fetch_token
from tests.key_statements import adopt, key_statement

REFRESH_SECONDS = 200
PURPOSE = "DTSEN-Purpose"
KEY = "Idempotency-Key"
_VISIBLE = re.compile("[!-~]{1,128}")
NDJSON = "application/x-ndjson"
MERGED_BEFORE = 300
"""Records ago: whatever was recorded then is merged now, and can be proved."""
receipts = deque(maxlen=MERGED_BEFORE)


@schemathesis.auth(refresh_interval=REFRESH_SECONDS)
class AccessToken:
    """A token of the client in SCHEMATHESIS_CLIENT, new before it expires."""

    def get(self, _case, _context):
        client = json.loads(Path(os.environ["SCHEMATHESIS_CLIENT"]).read_text())
        with httpx2.Client() as http:
            return fetch_token(client, http=http)

    def set(self, case, token, _context):
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Mostly give a purpose that the agreement has; ask every other time for another form.

    A purpose drawn from the pattern is none of the agreement's, and its 403 comes before the body
    is read: bodies would hardly be tested.
    """
    lot = sum(case.id.encode())
    headers = case.meta.components.get(ParameterLocation.HEADER) if case.meta else None
    if PURPOSE in case.headers and (headers is None or headers.mode.is_positive) and lot % 8:
        case.headers[PURPOSE] = os.environ["SCHEMATHESIS_PURPOSE"]
    if _VISIBLE.fullmatch(str(case.headers.get(KEY, ""))):
        # Drawn, it is soon drawn again for another request, and that is refused.
        case.headers[KEY] = token_hex(16)
    take_away_signatures(case, headers)
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    if is_of_keys(case) and (body is None or body.mode.is_positive):
        # Two signatures cannot be drawn.
        client = json.loads(Path(os.environ["SCHEMATHESIS_CLIENT"]).read_text())
        case.body = key_statement(client)
    if is_positive(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        # A cursor is ours to make: one that is drawn is none, and its 400 would be all there is.
        case.body.pop("cursor", None)
    if lot % 2 and is_positive(case, ParameterLocation.PATH):
        operation = case.operation.definition.raw["operationId"]
        if operation == "audit.record" and receipts:
            case.path_parameters["id"] = receipts[-1]
        if proves(case) and len(receipts) == MERGED_BEFORE:
            case.path_parameters["id"] = receipts[0]
    if proves(case) and case.path_parameters.get("id") in list(receipts)[1:]:
        # Followed from a search: too new to be surely merged, and its 503 would be no defect.
        case.path_parameters["id"] = str(uuid4())
    forms = list(case.operation.definition.raw["responses"]["200"]["content"])
    if len(forms) > 1 and "Accept" not in case.headers:
        case.headers["Accept"] = forms[lot % len(forms)]


def take_away_signatures(case, headers):
    """A signature cannot be drawn, nor a digest of a body, nor what to sign.

    What has not even the form of one stays where the request is meant to be wrong.
    """
    right = case.meta is None or case.meta.generation.mode.is_positive
    right = right or headers is None or headers.mode.is_positive
    for parameter in (*SIGNED, DIGEST):
        name, pattern = parameter["name"], parameter["schema"]["pattern"]
        if right or re.match(pattern, str(case.headers.get(name, ""))):
            case.headers.pop(name, None)


@schemathesis.hook
def after_call(_context, case, response):
    """Remember which records there are, and which key a client named last."""
    if is_of_keys(case) and response.status_code == httpx2.codes.OK:
        adopt(Path(os.environ["SCHEMATHESIS_CLIENT"]), response.json()["keys"][-1]["kid"])
    for receipt in response.headers.get("dtsen-access-record", ()):
        receipts.append(receipt[1:37])


def is_of_keys(case):
    """Whether a client's key is rotated."""
    return case.operation.definition.raw["operationId"] == "client.keys"


def proves(case):
    """Whether a proof is asked for."""
    return case.operation.definition.raw["operationId"] == "audit.proof"


def is_positive(case, location):
    """Whether what stands at a place of the request is meant to be right."""
    drawn = case.meta.components.get(location) if case.meta else None
    return drawn is not None and drawn.mode.is_positive


@schemathesis.deserializer(NDJSON)
def read_lines(_context, response):
    """The document describes one line; all are lines of one shape, tested in tests/api."""
    return next(json.loads(line) for line in response.content.splitlines())
