"""The examples of the OpenAPI document: `api/examples/<operationId>.json`.

Each is `{path?, request?, response: {media type: answer}}`, asked by `demo-explorer` of any sandbox
about the example family that stands in every synthetic release; of a stream, the answer is its
first line. Opaque ids differ between installations: in their place stand names of examples.
To add one write `{"request": ...}`; to record all anew run `python -m tests.record_examples`.
"""

import json
import re
from pathlib import Path
from typing import Any

from dtsen.disclosure.pairwise import ID_PATTERN
from dtsen.releases.synth import EXAMPLE_KK, EXAMPLE_NIKS

FOLDER = Path(__file__).resolve().parents[1] / "api" / "examples"
METHODS = ("get", "post", "put", "patch", "delete")
_ID = re.compile(ID_PATTERN)
_CHARACTERS = 43
_REAL_IDS = {
    "individuals.get": ("/v1/individuals/lookup", {"nik": EXAMPLE_NIKS[0]}, "individual"),
    "families.get": ("/v1/families/lookup", {"nomor_kartu_keluarga": EXAMPLE_KK}, "family"),
}
"""Operations that take an id, and the lookup whose answer has one."""


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation of an OpenAPI document, by id."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def read_example(operation_id: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{operation_id}.json").read_text())


def real_path(sandbox, operation_id: str, path: str, client: str = "demo-explorer") -> str:
    """The path with an id that this client knows in place of an example's."""
    if operation_id not in _REAL_IDS:
        return path
    lookup, request, member = _REAL_IDS[operation_id]
    answer = sandbox.call("POST", lookup, request, as_client=client)
    return path.replace("{id}", answer.json()[member]["id"])


def ask(sandbox, document: dict[str, Any], operation_id: str, example: dict[str, Any]):
    """What the sandbox answers to an example now, by media type, opaque ids aside."""
    method, template, operation = operations(document)[operation_id]
    path = real_path(sandbox, operation_id, template)
    found = {}
    for media_type in operation["responses"]["200"]["content"]:
        headers = {"Accept": media_type}
        answer = sandbox.call(method, path, example.get("request"), headers=headers)
        assert answer.status_code == 200, (operation_id, answer.text)
        assert answer.headers["content-type"] == media_type
        content = answer.text.splitlines()[0] if "ndjson" in media_type else answer.text
        found[media_type] = aside(json.loads(content), {})
    return found


def aside(value: Any, names: dict[str, str]) -> Any:
    """A value with the name of an example in place of each opaque id, numbered as they come."""
    if isinstance(value, dict):
        return {name: aside(member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [aside(member, names) for member in value]
    if isinstance(value, str) and _ID.fullmatch(value):
        if value not in names:
            number = 1 + sum(known.startswith(value[0]) for known in names)
            names[value] = f"{value[0]}1-" + f"EXAMPLE-{number}-".ljust(_CHARACTERS, "0")
        return names[value]
    return value
