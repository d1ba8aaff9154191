"""Whether an answer is one that the OpenAPI document describes."""

import re
from pathlib import Path
from typing import Any

import httpx2
import yaml
from jsonschema import Draft202012Validator

from tests.openapi_rules import PROBLEM, resolved

FILE = Path(__file__).resolve().parents[1] / "openapi.yaml"
DOCUMENT = yaml.safe_load(FILE.read_text())


def faults_of(
    operation: dict[str, Any], answer: httpx2.Response, document: dict[str, Any] = DOCUMENT
) -> list[str]:
    """What of an answer the operation's description does not say: status, headers, type, body."""
    described = operation["responses"].get(str(answer.status_code))
    if described is None:
        return [f"{answer.status_code} is not described"]
    found = []
    for name, header in described.get("headers", {}).items():
        told = resolved(document, header)
        value = answer.headers.get(name)
        if value is None and not told["required"]:
            continue
        if value is None or not re.search(told["schema"].get("pattern", ""), value):
            found.append(f"{answer.status_code}: {name}: {value}")
    content = described.get("content", {})
    if not content:
        return found + (["a body"] if answer.content else [])
    sent = answer.headers["content-type"]
    media_type, _, parameters = sent.partition("; ")
    if media_type not in content or parameters not in {"", "charset=utf-8"}:
        return [*found, f"{sent} is not described"]
    schema = {**content[media_type]["schema"], "components": document["components"]}
    lines = answer.text.splitlines() if media_type.endswith("ndjson") else [answer.text]
    for line in lines:
        value = line if media_type.startswith("text/") else _loaded(line)
        errors = Draft202012Validator(schema).iter_errors(value)
        found += [error.message for error in errors]
    return found


def faults_of_problem(answer: httpx2.Response) -> list[str]:
    """What keeps an answer from being a problem (RFC 9457) as all paths outside /oauth give it."""
    response = {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    found = faults_of({"responses": {str(answer.status_code): response}}, answer)
    if not found and answer.json()["status"] != answer.status_code:
        found.append("another status in the body")
    return found


def _loaded(text: str) -> Any:
    return httpx2.Response(200, text=text).json()
