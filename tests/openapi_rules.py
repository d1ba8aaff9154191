"""The rules of contract 4, "OpenAPI", as functions from a document to what breaks them."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from schemas.scopes import SCOPE_NAMES
from tests.examples import operations

PROBLEM = "application/problem+json"
IDENTIFIERS = {"nik", "niks", "nomor_kartu_keluarga", "id"}
OPERATION_ID = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+")

Document = dict[str, Any]


def resolved(document: Document, part: Any) -> Any:
    """A part, or what its reference stands for."""
    while isinstance(part, dict) and "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def named_and_described(document: Document) -> Iterator[str]:
    """Every operation has operationId, a tag that is described, a description."""
    known = {tag["name"] for tag in document["tags"]}
    ids = Counter()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation.get("operationId", "")
            ids[name] += 1
            if not OPERATION_ID.fullmatch(name):
                yield f"{method} {path}: operationId {name!r}"
            if len(operation.get("tags", ())) != 1 or operation["tags"][0] not in known:
                yield f"{name}: tags"
            if len(operation.get("description", "")) < 20 or not operation.get("summary"):
                yield f"{name}: description"
    yield from (f"{name}: twice" for name, count in ids.items() if count > 1)


def secured(document: Document) -> Iterator[str]:
    """Every operation names its scopes, "any" being an empty list; none is public."""
    schemes = document["components"]["securitySchemes"]
    for name, (_, path, operation) in operations(document).items():
        if not path.startswith(("/v1/", "/dtks/")):
            yield f"{name}: a public path"
        security = operation.get("security", [])
        if len(security) != 1 or list(security[0]) != list(schemes):
            yield f"{name}: security"
        elif not set(*security[0].values()) <= set(SCOPE_NAMES):
            yield f"{name}: unknown scope"


def requests(document: Document) -> Iterator[tuple[str, str, Any]]:
    """Operation, name and schema of every parameter and request body."""
    for name, (_, _, operation) in operations(document).items():
        for parameter in operation.get("parameters", ()):
            told = resolved(document, parameter)
            yield name, told["name"], told["schema"]
        if "requestBody" in operation:
            yield name, "body", operation["requestBody"]["content"]["application/json"]["schema"]


def parts(document: Document, schema: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every schema inside a schema, with the name of the member it is for."""
    schema = resolved(document, schema)
    yield name, schema
    for member, inner in schema.get("properties", {}).items():
        yield from parts(document, inner, member)
    if "items" in schema:
        yield from parts(document, schema["items"], name)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(keyword, ()):
            yield from parts(document, inner, name)


def bounded(document: Document) -> Iterator[str]:
    """Requests bound every string, array and number, and take no unknown member."""
    for operation, _, schema in requests(document):
        for name, part in parts(document, schema, _):
            kind = part.get("type")
            if kind == "string" and not {"maxLength", "enum"} & part.keys():
                yield f"{operation}: {name} has no maxLength"
            if kind in {"integer", "number"} and not {"minimum", "maximum"} <= part.keys():
                yield f"{operation}: {name} has no bounds"
            if kind == "array" and "maxItems" not in part:
                yield f"{operation}: {name} has no maxItems"
            if kind == "object" and part.get("additionalProperties") is not False:
                yield f"{operation}: {name} takes unknown members"
            if kind is None and not {"anyOf", "oneOf", "allOf"} & part.keys():
                yield f"{operation}: {name} has no type"


def identified(document: Document) -> Iterator[str]:
    """Identifiers of requests have patterns."""
    for operation, top, schema in requests(document):
        for name, part in parts(document, schema, top):
            if name in IDENTIFIERS and part.get("type") == "string" and "pattern" not in part:
                yield f"{operation}: {name} has no pattern"


def answered(document: Document) -> Iterator[str]:
    """Explicit codes; a problem with its schema for every error; the errors that all can give."""
    for name, (_, _, operation) in operations(document).items():
        statuses = operation["responses"]
        everywhere = {"200", "400", "401", "406", "429", "503"}
        if operation["security"][0] != {"accessToken": []}:
            everywhere |= {"403"}
        if "requestBody" in operation:
            everywhere |= {"413", "415", "422"}
        yield from (f"{name}: lacks {status}" for status in everywhere - statuses.keys())
        for status, response in statuses.items():
            if not re.fullmatch("200|202|204|304|4[0-9]{2}|503", status):
                yield f"{name}: {status}"
            if status >= "400":
                schemas = {kind: told.get("schema") for kind, told in response["content"].items()}
                if schemas != {PROBLEM: {"$ref": "#/components/schemas/Problem"}}:
                    yield f"{name}: {status} is no problem"


def exemplified(document: Document) -> Iterator[str]:
    """An example of each request body and each 2xx answer, of the shape that is described."""
    for name, (_, _, operation) in operations(document).items():
        told = [("request", operation.get("requestBody", {}).get("content", {}))]
        told += [
            (status, response.get("content", {}))
            for status, response in operation["responses"].items()
            if status.startswith("2")
        ]
        for what, content in told:
            for media_type, described in content.items():
                if "example" not in described:
                    yield f"{name}: {what} {media_type} has no example"
                    continue
                schema = {**described["schema"], "components": document["components"]}
                errors = Draft202012Validator(schema).iter_errors(described["example"])
                yield from (f"{name}: {what}: {error.message}" for error in errors)


RULES = (named_and_described, secured, bounded, identified, answered, exemplified)
