"""The examples of the OpenAPI document: `api/examples/<operationId>.json`.

Each is `{path?, request?, response: {media type: answer}}`, asked by `demo-explorer` of any sandbox
about the example family that stands in every synthetic release; of a stream, the answer is its
first line. Opaque ids differ between installations: in their place stand names of examples.
To add one write `{"request": ...}`; to record all anew run `python -m tests.record_examples`.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

from dtsen.disclosure.pairwise import ID_PATTERN
from dtsen.releases.synth import EXAMPLE_KK, EXAMPLE_NIKS
from dtsen.tlog.notes import Verifier
from dtsen.tlog.proof import ProofFile
from tests.key_statements import adopt, key_statement

FOLDER = Path(__file__).resolve().parents[1] / "api" / "examples"
EXPLORER = "demo-explorer"
METHODS = ("get", "post", "put", "patch", "delete")
_ID = re.compile(ID_PATTERN)
_CHARACTERS = 43
CASE = "CONTOH-AUDIT"
_RECORD_ID = "01a20cf6-82dd-7e72-b147-7b284b3a98ab"
_INSTANTS = dict.fromkeys(("iat", "recorded_at", "complete_until"), "2026-11-24T03:14:15.926+00:00")
_OWN = {
    **_INSTANTS,
    "ek": "2026-11",
    "jti": _RECORD_ID,
    "next": None,
    "node": "node-1",
    "plan": "PLAN",
    "kid": "NEW-KEY",
    "valid_until": "2026-12-10T03:14:15+00:00",
    "resp_hash": "b0rTHl9G0yYbZ1o0pZ1JmW9wO1u8m7d0r4H0tqzYc1k=",
    "sw": "dtsen-api/0.1.0",
    "servers": [{"url": "http://localhost:8000"}],
    "contact": {"name": "DTSEN Reference API", "url": "http://localhost:8000/problems/not-found"},
    "paths": {},
    "components": {},
}
"""Members that no two records share, as examples have them; of documents, what is long."""
BOARD = {
    "agency": "penjelajah-demo",
    "client": EXPLORER,
    "calls": 412,
    "identifiers": 180,
    "trend": -60.0,
    "projected_end": "2026-12-14",
    "sunset": "2027-12-31",
    "brown_outs": [],
    "weekly": [
        {"week": "2026-11-02", "dtks_calls": 150, "resolve_calls": 0, "identifiers": 300},
        {"week": "2026-11-09", "dtks_calls": 128, "resolve_calls": 2, "identifiers": 240},
        {"week": "2026-11-16", "dtks_calls": 130, "resolve_calls": 2, "identifiers": 180},
    ],
}
_PATIENCE = 60


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


def example_path(operation_id: str, template: str) -> str:
    """The path with the example's id, which stands for nobody anywhere."""
    for name, value in read_example(operation_id).get("path", {}).items():
        template = template.replace(f"{{{name}}}", value)
    return template


def real_path(sandbox, operation_id: str, template: str, client: str = EXPLORER) -> str:
    """The path with an id that this client knows."""
    find = _REAL_IDS.get(operation_id)
    return template.replace("{id}", find(sandbox, client)) if find else template


def real_request(sandbox, operation_id: str, client: str = EXPLORER) -> Any:
    """An example's request, made anew where it can be used once."""
    make = _REAL_REQUESTS.get(operation_id)
    return make(sandbox, client) if make else read_example(operation_id).get("request")


def _new_key(sandbox, client: str) -> dict[str, str]:
    with sandbox.owner() as connection:
        (keys,) = connection.execute(
            "SELECT jwks -> 'keys' FROM auth.client WHERE client_id = %s", (client,)
        ).fetchone()
    adopt(sandbox.home / "demo" / "clients" / f"{client}.json", keys[-1]["kid"])
    return key_statement(sandbox.client(client))


def _person(sandbox, client: str) -> str:
    request = {"nik": EXAMPLE_NIKS[0]}
    answer = sandbox.call("POST", "/v1/individuals/lookup", request, as_client=client)
    return answer.json()["individual"]["id"]


def _family(sandbox, client: str) -> str:
    request = {"nomor_kartu_keluarga": EXAMPLE_KK}
    answer = sandbox.call("POST", "/v1/families/lookup", request, as_client=client)
    return answer.json()["family"]["id"]


def ask(sandbox, document: dict[str, Any], operation_id: str, example: dict[str, Any]):
    """What the sandbox answers to an example now, by media type, opaque ids aside."""
    method, template, operation = operations(document)[operation_id]
    path = real_path(sandbox, operation_id, template)
    if operation_id == "audit.search":
        looked_up_and_recorded(sandbox, EXPLORER)
    found = {}
    for media_type in operation["responses"]["200"]["content"]:
        headers = {"Accept": media_type}
        asked = real_request(sandbox, operation_id) if "request" in example else None
        answer = sandbox.call(method, path, asked, headers=headers)
        assert answer.status_code == 200, (operation_id, answer.text)
        assert answer.headers["content-type"].partition(";")[0] == media_type
        if media_type == "text/plain":
            found[media_type] = _proved(sandbox, answer, example)
            continue
        content = answer.text.splitlines()[0] if "ndjson" in media_type else answer.text
        told = json.loads(content)
        if operation_id == "legacy.scoreboard":
            told["clients"] = [BOARD]  # what was asked of this sandbox is nobody's example
        found[media_type] = aside(told, {})
    return found


def _proved(sandbox, answer, example: dict[str, Any]) -> str:
    """A proof is another one each time: the example stands for each that proves its leaf."""
    file = ProofFile.parse(answer.content)
    keys = [Verifier.parse(line) for line in sandbox.http.get("/log/key").text.splitlines()]
    file.verify(keys)
    return example.get("response", {}).get("text/plain", answer.text)


def looked_up_and_recorded(sandbox, client: str) -> str:
    """The id of a client's new record of the example's case, once a search finds it."""
    answer = sandbox.call(
        "POST",
        "/v1/individuals/lookup",
        {"nik": EXAMPLE_NIKS[0], "fields": ["nama", "desil_nasional"]},
        headers={"DTSEN-Officer": "petugas-7", "DTSEN-Case-Ref": CASE},
        as_client=client,
    )
    record_id = answer.headers["dtsen-access-record"][1:37]
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        wanted = {"case_ref": CASE, "limit": 1}
        answer = sandbox.call("POST", "/v1/audit/search", wanted, as_client=client)
        found = answer.json()["records"]
        if record_id in {one["jti"] for one in found}:
            return record_id
        time.sleep(0.1)  # the sequencer is another process; it sends no news
    raise TimeoutError(record_id)


_REAL_IDS = {
    "individuals.get": _person,
    "families.get": _family,
    "audit.record": looked_up_and_recorded,
    "audit.proof": looked_up_and_recorded,
}
"""How a client comes by the id that an operation takes."""


def _of_the_ministry(sandbox, _client: str) -> dict[str, Any]:
    """An id that another agency knows, and one that nobody does."""
    known = _person(sandbox, "demo-ministry")
    return {"ids": [known, f"{known[:-4]}0000"], "from": "kementerian-demo"}


_REAL_REQUESTS = {"client.keys": _new_key, "individuals.translate": _of_the_ministry}


def aside(value: Any, names: dict[str, str]) -> Any:
    """A value with the name of an example in place of each opaque id, numbered as they come."""
    if isinstance(value, dict):
        return {name: _OWN.get(name, aside(member, names)) for name, member in value.items()}
    if isinstance(value, list):
        return [aside(member, names) for member in value]
    if isinstance(value, str) and _ID.fullmatch(value):
        if value not in names:
            number = 1 + sum(known.startswith(value[0]) for known in names)
            names[value] = f"{value[0]}1-" + f"EXAMPLE-{number}-".ljust(_CHARACTERS, "0")
        return names[value]
    return value
