"""The OpenAPI 3.1 document, generated from the routes; `openapi.yaml` is its committed copy.

FastAPI gives paths, parameters and request models; this adds what it cannot know: shapes from the
catalogue, security, examples (whose null members FastAPI would drop), and it takes away what no
operation answers.
"""

from importlib.metadata import version
from importlib.resources import files
from typing import Any

import orjson
import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import JsonSchemaValue

from api.document import SECURITY_SCHEME
from schemas.answers import family_schema, individual_schema
from schemas.scopes import SCOPE_NAMES, Scope, sentence

TAGS = (
    {"name": "individuals", "description": "People by NIK or by your own opaque id."},
    {"name": "families", "description": "Families by KK or by your own opaque id, with members."},
    {"name": "legacy", "description": "DTKS identifiers and what became of them."},
    {"name": "audit", "description": "The access log: who saw what, about whom, why."},
    {"name": "reference", "description": "Releases, variables and code lists."},
)

PROBLEM: JsonSchemaValue = {
    "type": "object",
    "description": "RFC 9457 problem details; `causes` and `next_steps` where somebody is absent.",
    "required": ["type", "title", "status", "detail", "instance", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri", "maxLength": 300},
        "title": {"type": "string", "maxLength": 200},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "maxLength": 1000},
        "instance": {"type": "string", "format": "uri", "maxLength": 100},
        "errors": {
            "type": "array",
            "maxItems": 1000,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["pointer", "code"],
                "properties": {
                    "pointer": {"type": "string", "maxLength": 200},
                    "code": {"type": "string", "maxLength": 100},
                    "field": {"type": "string", "maxLength": 100},
                },
            },
        },
        "release": {"type": ["string", "null"], "maxLength": 20},
        "scope": {"type": "string", "enum": ["national", "agreement"]},
        "causes": {"$ref": "#/components/schemas/Advice"},
        "next_steps": {"$ref": "#/components/schemas/Advice"},
    },
}
ADVICE: JsonSchemaValue = {
    "type": "array",
    "maxItems": 20,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["code", "text"],
        "properties": {
            "code": {"type": "string", "maxLength": 100},
            "text": {"type": "string", "maxLength": 500},
        },
    },
}


def document(app: FastAPI, issuer: str) -> dict[str, Any]:
    """The whole document of an application, served at `issuer`."""
    made = get_openapi(
        title="DTSEN Reference API",
        version=version("dtsen-api"),
        summary="One door to DTSEN, Indonesia's single social-economic registry.",
        description=(files("api") / "description.md").read_text(),
        routes=app.routes,
        tags=list(TAGS),
        servers=[{"url": issuer}],
        contact={"name": "DTSEN Reference API", "url": f"{issuer}/problems/not-found"},
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = made.setdefault("components", {})
    shapes = components.setdefault("schemas", {})
    shapes.pop("HTTPValidationError", None)
    shapes.pop("ValidationError", None)
    shapes |= {
        "Problem": PROBLEM,
        "Advice": ADVICE,
        "Individual": individual_schema(),
        "Family": family_schema(),
    }
    components["securitySchemes"] = {SECURITY_SCHEME: _security(issuer)}
    for operations in made["paths"].values():
        for operation in operations.values():
            _mend(operation)
    return made


def as_yaml(made: dict[str, Any]) -> str:
    """The document as the committed file."""
    return yaml.safe_dump(made, allow_unicode=True, sort_keys=False, width=100)


def example(operation_id: str) -> dict[str, Any]:
    """The recorded example of an operation: `request` (where it has a body) and `response`."""
    file = files("api") / "examples" / f"{operation_id}.json"
    return dict(orjson.loads(file.read_bytes())) if file.is_file() else {}


def _mend(operation: dict[str, Any]) -> None:
    unknown = operation["responses"].get("422", {}).get("content", {})
    if "application/problem+json" not in unknown:
        operation["responses"].pop("422", None)
    recorded = example(operation["operationId"])
    if "request" in recorded:
        body = operation["requestBody"]["content"]["application/json"]
        body["example"] = recorded["request"]
    for media_type, content in operation["responses"]["200"]["content"].items():
        if media_type == "application/json" and "response" in recorded:
            content["example"] = recorded["response"]
        elif "lines" in recorded:
            content["example"] = recorded["lines"]


def _security(issuer: str) -> dict[str, Any]:
    scopes = {name: sentence(Scope.parse(name)).en for name in SCOPE_NAMES}
    return {
        "type": "oauth2",
        "description": "Client credentials with private_key_jwt (RFC 7523).",
        "flows": {
            "clientCredentials": {"tokenUrl": f"{issuer}/oauth/token", "scopes": scopes},
        },
    }
