"""The OpenAPI document of one client: made from the whole one, its agreement and its scopes."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from api.document import SECURITY_SCHEME
from api.own import shapes
from api.own.examples import fitted
from api.own.headers import narrowed_header
from dtsen.audit.viewer import OVERSEER
from dtsen.disclosure.opening import Opening, openings, scopes_needed
from schemas.agreement import Agreement
from schemas.agreement_words import told_agreement

PURPOSES = "x-dtsen-purposes"
_WHOLE_REGISTRY = frozenset({"dictionary.get"})
"""Operations whose example tells of every variable there is."""
_OWN_AGREEMENT = "agreement.get"
_NAMES_AGENCY = "audit.search"
"""Whoever oversees all agencies names the one whose officer or case it searches."""

Document = dict[str, Any]


def own_document(whole: Document, agreement: Agreement | None, scopes: Collection[str]) -> Document:
    """The part of the whole document that an agreement and a token's scopes open.

    Without an agreement: the calls that are open to any token.
    """
    opened = openings(agreement, scopes) if agreement is not None else {}
    return _Narrowing(whole, agreement, opened).document()


class _Narrowing:
    """One client's document in the making."""

    def __init__(
        self,
        whole: Document,
        agreement: Agreement | None,
        opened: dict[str, tuple[Opening, ...]],
    ) -> None:
        self._whole = whole
        self._agreement = agreement
        self._opened = opened
        self._named: dict[str, Any] = whole["components"]["schemas"]
        self._schemas: dict[str, Any] = {}

    def document(self) -> Document:
        paths: dict[str, Any] = {}
        for path, operations in self._whole["paths"].items():
            for method, operation in operations.items():
                made = self._operation(operation)
                if made is not None:
                    paths.setdefault(path, {})[method] = made
        tags = {tag for each in _operations(paths) for tag in each["tags"]}
        made = {
            **{k: v for k, v in self._whole.items() if k not in {"paths", "components", "tags"}},
            "tags": [tag for tag in self._whole["tags"] if tag["name"] in tags],
            "paths": paths,
        }
        return {**made, "components": self._components(made)}

    def _operation(self, operation: dict[str, Any]) -> dict[str, Any] | None:
        (requirement,) = operation["security"]
        (required,) = requirement.values()
        if not required:
            made = self._shaped(operation, None)
            if operation["operationId"] in _WHOLE_REGISTRY | {_OWN_AGREEMENT}:
                self._own_example(made)
            return made
        (scope,) = required
        opened = self._opened.get(scope)
        if opened is None:
            return None
        made = self._shaped(operation, scope)
        made["security"] = [{SECURITY_SCHEME: scopes_needed(scope, opened)}]
        made["parameters"] = [self._parameter(each, opened) for each in operation["parameters"]]
        if operation["operationId"] == _NAMES_AGENCY and self._agreement is not None:
            (content,) = made["requestBody"]["content"].values()
            if self._agreement.agency.role == OVERSEER and "example" in content:
                content["example"] = {"agency": self._agreement.agency.code, **content["example"]}
        made[PURPOSES] = {
            each.purpose: {
                "variables": [variable.qualified for variable in each.variables],
                "masks": dict(each.masks),
                "actors": list(each.actors),
                "require": list(each.require),
            }
            for each in opened
        }
        return made

    def _shaped(self, operation: dict[str, Any], scope: str | None) -> dict[str, Any]:
        """An operation with the shapes and examples that its scope opens."""
        opened = shapes.forms(self._opened[scope]) if scope else {}
        made: dict[str, Any] = self._specialised(operation, scope)
        for content in _contents(made):
            if "schema" in content and scope is not None:
                content["schema"] = shapes.without_closed_numbers(content["schema"], opened)
            if "example" in content and scope is not None:
                example = content.pop("example")
                cut = fitted(example, content["schema"], self._schemas, opened)
                content.update({} if cut is None else {"example": cut})
        return made

    def _own_example(self, operation: dict[str, Any]) -> None:
        for content in operation["responses"]["200"]["content"].values():
            content.pop("example", None)
            if operation["operationId"] == _OWN_AGREEMENT:
                told = told_agreement(self._agreement) if self._agreement else None
                content["example"] = {"agreement": told}

    def _parameter(self, parameter: dict[str, Any], opened: Sequence[Opening]) -> dict[str, Any]:
        """A header of a request, with the values that these purposes take."""
        name = parameter.get("$ref", "").rpartition("/")[2]
        narrowed = narrowed_header(name, opened)
        if narrowed is None:
            return parameter
        whole = self._whole["components"]["parameters"][name]
        schema = {"schema": {"type": "string", "enum": narrowed.values}} if narrowed.values else {}
        return {**whole, "required": narrowed.required, **schema}

    def _specialised(self, part: Any, scope: str | None) -> Any:  # noqa: ANN401 - any JSON value
        """A part of the document with references to the shapes that this scope opens."""
        if isinstance(part, list):
            return [self._specialised(each, scope) for each in part]
        if not isinstance(part, dict):
            return part
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(shapes.REFERENCE):
            name = reference.removeprefix(shapes.REFERENCE)
            return {"$ref": shapes.REFERENCE + self._placed(name, scope)}
        return {name: self._specialised(value, scope) for name, value in part.items()}

    def _placed(self, name: str, scope: str | None) -> str:
        """The name under which a shape stands for a scope; a second form has a name of its own."""
        make = shapes.BY_VARIABLES.get(name)
        if make is not None and scope is not None:
            schema = make(shapes.forms(self._opened[scope]))
        else:
            schema = self._whole_shape(name)
        made = self._specialised(schema, scope)
        if self._schemas.setdefault(name, made) == made:
            return name
        second = f"{name}.{(scope or 'any').replace(':', '-')}"
        self._schemas[second] = made
        return second

    def _whole_shape(self, name: str) -> dict[str, Any]:
        schema: dict[str, Any] = self._named[name]
        agreement = self._agreement
        if name == "Problem":
            return shapes.problem(schema, agreement)
        if agreement is None:
            return schema
        oversees = agreement.agency.role == OVERSEER
        if name == "AccessRecord":
            return shapes.access_record(schema, oversees=oversees)
        if name == "AuditSearch":
            code = agreement.agency.code
            return shapes.audit_search(schema, agency=code, oversees=oversees)
        return schema

    def _components(self, made: Document) -> dict[str, Any]:
        """What the paths refer to, and the scopes there are."""
        whole = self._whole["components"] | {"schemas": self._schemas}
        kept: dict[str, Any] = {}
        waiting = list(_references(made["paths"]))
        while waiting:
            kind, name = waiting.pop()
            if name not in kept.setdefault(kind, {}):
                kept[kind][name] = whole[kind][name]
                waiting.extend(_references(whole[kind][name]))
        scheme = whole["securitySchemes"][SECURITY_SCHEME]
        flow = scheme["flows"]["clientCredentials"]
        opened = self._opened.items()
        held = {name for operation, each in opened for name in scopes_needed(operation, each)}
        scopes = {name: text for name, text in flow["scopes"].items() if name in held}
        flows = {"clientCredentials": {**flow, "scopes": scopes}}
        kept["securitySchemes"] = {SECURITY_SCHEME: {**scheme, "flows": flows}}
        return {kind: dict(sorted(named.items())) for kind, named in kept.items()}


def _operations(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for operations in paths.values() for operation in operations.values())


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The bodies of an operation: its request and its answers that are no problems."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from response.get("content", {}).values()


def _references(part: object) -> Iterator[tuple[str, str]]:
    """Kind and name of every component that a part refers to."""
    if isinstance(part, list):
        for each in part:
            yield from _references(each)
    elif isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/components/"):
            _, _, kind, name = reference.split("/")
            yield kind, name
        for value in part.values():
            yield from _references(value)
