"""Whether one OpenAPI document is a part of another; knows nothing of how either was made."""

import re
from collections.abc import Iterator
from typing import Any

from schemas.scopes import Scope
from tests.examples import operations
from tests.openapi_rules import resolved

Document = dict[str, Any]
_MOST = ("maxLength", "maxItems", "maximum")
_LEAST = ("minLength", "minItems", "minimum")


def beyond(whole: Document, part: Document) -> Iterator[str]:
    """What the part says that the whole does not: paths, parameters, statuses, members, values."""
    known = operations(whole)
    for name, (method, path, operation) in operations(part).items():
        if name not in known or known[name][:2] != (method, path):
            yield f"{name}: no such operation"
            continue
        for fault in _operation(whole, known[name][2], part, operation):
            yield f"{name}: {fault}"
    (scheme,) = part["components"]["securitySchemes"].values()
    (of_whole,) = whole["components"]["securitySchemes"].values()
    held = scheme["flows"]["clientCredentials"]["scopes"]
    if not held.keys() <= of_whole["flows"]["clientCredentials"]["scopes"].keys():
        yield "unknown scopes"


def _operation(whole: Document, wide: Any, part: Document, narrow: Any) -> Iterator[str]:
    (asked,), (needed,) = narrow["security"][0].values(), wide["security"][0].values()
    if bool(asked) != bool(needed):
        yield "security"
    for scope in asked:
        if not any(Scope.parse(other).covers(Scope.parse(scope)) for other in needed):
            yield f"scope {scope}"
    taken = {each["name"]: each for each in _parameters(whole, wide)}
    for each in _parameters(part, narrow):
        if each["name"] not in taken:
            yield f"parameter {each['name']}"
        else:
            yield from _schema(whole, taken[each["name"]]["schema"], part, each["schema"])
    yield from _bodies(whole, wide.get("requestBody", {}), part, narrow.get("requestBody", {}))
    for status, response in narrow["responses"].items():
        before = wide["responses"].get(status)
        if before is None:
            yield f"status {status}"
            continue
        if not response.get("headers", {}).keys() <= before.get("headers", {}).keys():
            yield f"headers of {status}"
        yield from _bodies(whole, before, part, response)


def _bodies(whole: Document, wide: Any, part: Document, narrow: Any) -> Iterator[str]:
    known = wide.get("content", {})
    for form, content in narrow.get("content", {}).items():
        if form not in known:
            yield f"form {form}"
        else:
            yield from _schema(whole, known[form]["schema"], part, content["schema"])


def _parameters(document: Document, operation: Any) -> Iterator[Any]:
    return (resolved(document, each) for each in operation.get("parameters", ()))


def _schema(whole: Document, wide: Any, part: Document, narrow: Any, at: str = "") -> list[str]:
    """What values the narrow schema has that the wide one has not; nothing where it has none."""
    wide, narrow = resolved(whole, wide), resolved(part, narrow)
    if wide is True or narrow is False:
        return []
    if "anyOf" in narrow:
        return [f for each in narrow["anyOf"] for f in _schema(whole, wide, part, each, at)]
    if "anyOf" in wide:
        return _one_of(whole, wide["anyOf"], part, narrow, at)
    return list(_plain(whole, wide, part, narrow, at))


def _one_of(whole: Document, branches: Any, part: Document, narrow: Any, at: str) -> list[str]:
    """A schema of several types fits if each of its types is in some branch."""
    kinds = narrow.get("type")
    alone = [narrow]
    if isinstance(kinds, list):
        alone = [{**narrow, "type": kind} for kind in kinds]
        if "enum" in narrow:
            values = {k: [v for v in narrow["enum"] if (v is None) == (k == "null")] for k in kinds}
            alone = [{**narrow, "type": kind, "enum": values[kind]} for kind in kinds]
    found = []
    for one in alone:
        tried = [_schema(whole, branch, part, one, at) for branch in branches]
        if all(tried):
            found += min(tried, key=len)
    return found


def _kinds(schema: Any) -> set[str]:
    kinds = schema.get(
        "type", ["array", "boolean", "integer", "null", "number", "object", "string"]
    )
    return set(kinds) if isinstance(kinds, list) else {kinds}


def _plain(whole: Document, wide: Any, part: Document, narrow: Any, at: str) -> Iterator[str]:
    if not _kinds(narrow) <= _kinds(wide):
        yield f"{at}: type"
    if _kinds(narrow) == {"null"}:
        return
    if "enum" in narrow:
        yield from (f"{at}: {value}" for value in narrow["enum"] if not _takes(wide, value))
        return
    if "enum" in wide:
        yield f"{at}: values"
    if wide.get("pattern", narrow.get("pattern")) != narrow.get("pattern"):
        yield f"{at}: pattern"
    yield from (f"{at}: {name}" for name in _bounds(wide, narrow))
    if "items" in wide and narrow.get("maxItems") != 0:
        yield from _schema(whole, wide["items"], part, narrow.get("items", True), f"{at}[]")
    yield from _members(whole, wide, part, narrow, at)


def _bounds(wide: Any, narrow: Any) -> Iterator[str]:
    for name in _MOST:
        if name in wide and narrow.get(name, float("inf")) > wide[name]:
            yield name
    for name in _LEAST:
        if name in wide and narrow.get(name, float("-inf")) < wide[name]:
            yield name


def _members(whole: Document, wide: Any, part: Document, narrow: Any, at: str) -> Iterator[str]:
    if not set(wide.get("required", ())) <= set(narrow.get("required", ())):
        yield f"{at}: required"
    closed = wide.get("additionalProperties") is False
    if closed and narrow.get("additionalProperties") is not False:
        yield f"{at}: open"
    for name, member in narrow.get("properties", {}).items():
        if name in wide.get("properties", {}):
            yield from _schema(whole, wide["properties"][name], part, member, f"{at}/{name}")
        elif "properties" in wide:
            yield f"{at}/{name}: no such member"


def _takes(wide: Any, value: Any) -> bool:
    if value is None:
        return "null" in _kinds(wide)
    if "enum" in wide:
        return value in wide["enum"]
    fits = re.search(wide.get("pattern", ""), str(value))
    return fits is not None and len(str(value)) <= wide.get("maxLength", len(str(value)))
