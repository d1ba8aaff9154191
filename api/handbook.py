"""`/docs` of a sandbox: the OpenAPI document as one page, for reading and for pasting.

Rendered here, so that it works without other hosts and without JavaScript; no script may run in it.
A production server has no such page: its callers have `openapi.yaml`, and `/v1/openapi.json` for
what is exactly theirs.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from api.app_problems import unrecorded
from api.headers import SAFE_HEADERS
from api.openapi import document
from dtsen.errors import PathNotFound

router = APIRouter(include_in_schema=False)

METHODS = ("get", "post", "put", "patch", "delete")
POLICY = b"content-security-policy"
CLIENT = "CLIENT.json"
"""Stands in commands where the caller's own client file belongs."""

Node = Mapping[str, Any]


@router.get("/docs")
async def page(request: Request) -> Response:
    """Show every operation, with a command to paste and a real answer."""
    settings = request.app.state.parts.settings
    if settings.profile != "sandbox":
        return unrecorded(request, PathNotFound())
    text, policy = _page(request.app, settings.issuer)
    response = Response(text, media_type="text/html; charset=utf-8")
    response.raw_headers.extend(
        (name, policy if name == POLICY else value) for name, value in SAFE_HEADERS
    )
    return response


@lru_cache(maxsize=1)
def _page(app: FastAPI, issuer: str) -> tuple[str, bytes]:
    """The page, and what a browser may do with it: apply its one style sheet."""
    folder = files("api") / "pages"
    style = (folder / "style.css").read_text()
    made = document(app, issuer)
    operations = [
        (path, method, node[method])
        for path, node in made["paths"].items()
        for method in METHODS
        if method in node
    ]
    text = Template((folder / "docs.html").read_text()).substitute(
        title=escape(made["info"]["title"]),
        version=escape(made["info"]["version"]),
        issuer=escape(issuer),
        introduction="".join(map(_paragraph, made["info"]["description"].split("\n\n"))),
        style=style,
        contents="".join(_contents(tag, operations) for tag in made["tags"]),
        operations="".join(_operation(*one, made["components"]) for one in operations),
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    return text, policy.encode()


def _contents(tag: Node, operations: Iterable[tuple[str, str, Node]]) -> str:
    links = "".join(
        f'<li><a href="#{escape(one["operationId"])}"><b>{method}</b> {escape(path)}</a></li>'
        for path, method, one in operations
        if tag["name"] in one["tags"]
    )
    return f"<li>{escape(tag['name'])}<ul>{links}</ul></li>" if links else ""


def _operation(path: str, method: str, one: Node, components: Node) -> str:
    asked, told = _asked(one), _told(one)
    parts = [
        f'<section id="{escape(one["operationId"])}">',
        f"<h2><b>{method}</b> <code>{escape(path)}</code></h2>",
        *map(_paragraph, one.get("description", "").split("\n\n")),
        f"<p>Scope: {_scopes(one)}</p>",
        _parameters(one, components),
        f"<h3>Ask</h3><pre>{escape(_command(path, method, asked))}</pre>",
        "" if told is None else f"<h3>Answer</h3><pre>{escape(_json(told, indent=2))}</pre>",
        _statuses(one),
        "</section>",
    ]
    return "".join(parts)


def _command(path: str, method: str, asked: object) -> str:
    command = f"dtsen curl {CLIENT} {method.upper()} '{path}'"
    if asked is None:
        return command
    quoted = _json(asked).replace("'", "'\\''")
    return f"{command} '{quoted}'"


def _scopes(one: Node) -> str:
    scopes = [scope for way in one.get("security", ()) for each in way.values() for scope in each]
    return ", ".join(f"<code>{escape(scope)}</code>" for scope in scopes) or "any valid token"


def _parameters(one: Node, components: Node) -> str:
    rows = []
    for given in one.get("parameters", ()):
        name = given.get("$ref", "").rpartition("/")[2]
        known = components["parameters"][name] if name else given
        text = known.get("description") or known.get("schema", {}).get("description", "")
        rows.append(
            f"<tr><td><code>{escape(known['name'])}</code></td>"
            f"<td>{escape(known['in'])}</td><td>{_plain(text)}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _statuses(one: Node) -> str:
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{_plain(answer['description'])}</td></tr>"
        for status, answer in one["responses"].items()
    )
    return f"<details><summary>Every status</summary><table>{rows}</table></details>"


def _asked(one: Node) -> object:
    return _example(one.get("requestBody", {}))


def _told(one: Node) -> object:
    """The example of the first answer that succeeds."""
    good = (answer for status, answer in one["responses"].items() if status.startswith("2"))
    return _example(next(good, {}))


def _example(holder: Node) -> object:
    contents = holder.get("content", {}).values()
    return next((one["example"] for one in contents if "example" in one), None)


def _json(value: object, indent: int | None = None) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)


def _paragraph(text: str) -> str:
    return f"<p>{_plain(' '.join(text.split()))}</p>"


def _plain(text: str) -> str:
    return escape(text.replace("`", ""))
