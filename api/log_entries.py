"""The log's entries, for accredited auditors: the one part of the log that is not public."""

from fastapi import APIRouter, Response

from api.call import Call, Served
from api.log import BINARY, read_tile, read_year
from api.route import GuardedRoute, served
from dtsen.disclosure.mandate import Operation
from dtsen.errors import PathNotFound

# Described by C2SP tlog-tiles and docs/auditors/log.md, as all of the log is.
router = APIRouter(prefix="/log", route_class=GuardedRoute, include_in_schema=False)

ENTRIES = Operation("log.entries", "log:entries", "audit.read")
PRIVATE = "private, no-store"


@router.get("/{year}/tile/entries/{rest:path}")
@served(Served(ENTRIES, (BINARY,)))
async def entries(call: Call, year: str, rest: str) -> Response:
    """Answer with the entries of a bundle that a published checkpoint covers; that is recorded."""
    number, tile = read_year(year), read_tile(f"entries/{rest}")
    content = None
    if number is not None and tile is not None:
        content = await call.parts.log.entries(number, tile)
    if content is None or tile is None:
        raise PathNotFound
    response = await call.tell(content, query={"log": number, "tile": tile.path})
    response.headers["cache-control"] = PRIVATE
    return response
