"""Releases: which were in force and are kept, which answers now; for any valid token."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson
from fastapi import APIRouter, Response

from api.call import JSON, Call, Served
from api.document import documented
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from dtsen.errors import NoRelease
from dtsen.releases.current import published_releases
from schemas.answers import RELEASE

router = APIRouter(prefix="/v1/releases", tags=["reference"], route_class=GuardedRoute)

LIST = Operation("releases.list", None, "reference")
CURRENT = Operation("releases.current", None, "reference")

MOST_RELEASES = 100

_DAY = {"type": "string", "format": "date", "maxLength": 10}
ONE: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "metadata_version", "cut_off", "published", "next_publication", "active"],
    "properties": {
        "id": RELEASE,
        "metadata_version": {"type": "string", "maxLength": 20},
        "cut_off": _DAY,
        "published": _DAY,
        "next_publication": {**_DAY, "type": ["string", "null"]},
        "active": {"type": "boolean"},
    },
}
MANY: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["releases"],
    "properties": {"releases": {"type": "array", "maxItems": MOST_RELEASES, "items": ONE}},
}


@router.get("", **documented(LIST, answers={JSON: MANY}, body=False, people=False))
@served(Served(LIST))
async def every(call: Call) -> Response:
    """List the releases that were in force and are kept, oldest first."""
    found = await published_releases(call.parts.pool)
    releases = [asdict(release) for release in found[-MOST_RELEASES:]]
    return await call.tell(orjson.dumps({"releases": releases}))


@router.get(
    "/current",
    **documented(CURRENT, (NoRelease,), answers={JSON: ONE}, body=False, people=False),
)
@served(Served(CURRENT))
async def current(call: Call) -> Response:
    """Tell which release answers now, and when the next one is due as far as it is known."""
    active = [one for one in await published_releases(call.parts.pool) if one.active]
    if not active:
        raise NoRelease
    return await call.tell(orjson.dumps(asdict(active[0])))
