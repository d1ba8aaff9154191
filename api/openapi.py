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

from api.document import (
    ASKED,
    CHALLENGE,
    DIGEST,
    LIMITS,
    RECORDED,
    RELEASE,
    RETRY,
    SECURITY_SCHEME,
    SIGNATURES,
    SIGNED,
)
from api.inputs import FIELD_NAME
from dtsen.audit.shape import RECORD
from schemas.answers import STATUS, WITHHELD, family_schema, individual_schema
from schemas.scopes import SCOPE_NAMES, Scope, sentence

TAGS = (
    {"name": "individuals", "description": "People by NIK or by your own opaque id."},
    {"name": "families", "description": "Families by KK or by your own opaque id, with members."},
    {"name": "legacy", "description": "DTKS identifiers and what became of them."},
    {"name": "dtks", "description": "The DTKS-shaped service, on its way out."},
    {"name": "audit", "description": "The access log: who saw what, about whom, why."},
    {"name": "client", "description": "What a client does about itself."},
    {"name": "agreement", "description": "Your own agreement, and the API that it opens."},
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
NAMED: dict[str, dict[str, Any]] = {
    "schemas": {"Withheld": WITHHELD, "Status": STATUS},
    "headers": LIMITS | RECORDED | RELEASE | RETRY | CHALLENGE | SIGNATURES,
    "parameters": {parameter["name"]: parameter for parameter in (*ASKED, *SIGNED, DIGEST)},
}
"""Parts that stand in many places of the document, by kind; told once."""


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
        "FieldName": FIELD_NAME,
        "Individual": individual_schema(),
        "Family": family_schema(),
        "AccessRecord": RECORD,
    }
    components["securitySchemes"] = {SECURITY_SCHEME: _security(issuer)}
    for operations in made["paths"].values():
        for operation in operations.values():
            _mend(operation)
    for kind, named in NAMED.items():
        for name, part in named.items():
            made = _referring(made, part, {"$ref": f"#/components/{kind}/{name}"})
        made["components"].setdefault(kind, {}).update(named)
    return made


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and every part in full."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's own signature
        """Anchors save lines and cost readers."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(made: dict[str, Any]) -> str:
    """The document as the committed file."""
    return yaml.dump(made, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def example(operation_id: str) -> dict[str, Any]:
    """The recorded example of an operation, as `tests/examples.py` describes it."""
    file = files("api") / "examples" / f"{operation_id}.json"
    return dict(orjson.loads(file.read_bytes())) if file.is_file() else {}


def _mend(operation: dict[str, Any]) -> None:
    operation["summary"] = operation["description"].partition("\n")[0].rstrip(".")
    unknown = operation["responses"].get("422", {}).get("content", {})
    if "application/problem+json" not in unknown:
        operation["responses"].pop("422", None)
    recorded = example(operation["operationId"])
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in recorded.get("path", {}):
            parameter["example"] = recorded["path"][parameter["name"]]
    if "request" in recorded:
        operation["requestBody"]["content"]["application/json"]["example"] = recorded["request"]
    for media_type, content in operation["responses"]["200"]["content"].items():
        if media_type in recorded.get("response", {}):
            content["example"] = recorded["response"][media_type]


def _referring(value: Any, part: object, reference: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    """The value with a reference in place of each occurrence of a part."""
    if value == part:
        return reference
    if isinstance(value, dict):
        return {name: _referring(member, part, reference) for name, member in value.items()}
    if isinstance(value, list):
        return [_referring(member, part, reference) for member in value]
    return value


def _security(issuer: str) -> dict[str, Any]:
    scopes = {name: sentence(Scope.parse(name)).en for name in SCOPE_NAMES}
    return {
        "type": "oauth2",
        "description": (
            "Client credentials with private_key_jwt (RFC 7523) or a certificate (RFC 8705). The"
            " token is shown as the agreement has it bound: `Authorization: DPoP` with a proof in"
            " the header DPoP (RFC 9449; `htu` is this server's URL), or `Authorization: Bearer`,"
            " over a connection with the same certificate where it is bound to one."
        ),
        "flows": {
            "clientCredentials": {"tokenUrl": f"{issuer}/oauth/token", "scopes": scopes},
        },
    }
