"""The public log (C2SP tlog-tiles): checkpoints, keys and tiles, for anyone who wants to verify.

No authentication and no cookies. The files are those of the publication, so that a static server in
front may serve them as well.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.app_problems import unrecorded
from api.headers import SAFE_HEADERS
from api.parts import Parts
from auth.limits import address
from dtsen.errors import PathNotFound, RateLimited, Unavailable
from dtsen.tlog.tiles import Tile, TileInvalid, parse_tile_path

PER_ADDRESS = "500/second"
"""Of one worker. A verifier fetches 100 tiles a second, and may come in bursts."""

TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
NO_CACHE = "no-cache"
NO_STORE = "no-store"
FOR_EVER = "public, max-age=31536000, immutable"

_STAMPED = {
    "sizes": (TEXT, NO_CACHE),
    "checkpoint": (TEXT, FOR_EVER),
    "tsr": ("application/timestamp-reply", FOR_EVER),
}
_STAMP = re.compile(r"sizes|[1-9][0-9]{0,18}\.(?:checkpoint|tsr)")
_YEAR = re.compile(r"[1-9][0-9]{3}")
_SAFE = [header for header in SAFE_HEADERS if header[0] != b"cache-control"]


class PublicRoute(APIRoute):
    """Limits by address, since nothing else is known of whoever asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """How a request to this route is run."""
        handle = super().get_route_handler()

        async def run(request: Request) -> Response:
            parts = _parts(request)
            whose = address(request)
            if parts.limiter.hit(PER_ADDRESS, "log", whose).allowed:
                try:
                    return await handle(request)
                except Unavailable as outage:
                    return unrecorded(request, outage)
            error = RateLimited(headers={"Retry-After": "1"})
            parts.tally.count(error.code, error.status, client=None, address=whose)
            return unrecorded(request, error)

        return run


router = APIRouter(prefix="/log", route_class=PublicRoute, include_in_schema=False)


def read_tile(rest: str) -> Tile | None:
    """The tile that the end of a path names, after `tile/`."""
    try:
        return parse_tile_path(f"tile/{rest}")
    except TileInvalid:
        return None


def read_year(year: str) -> int | None:
    """A year as paths spell it."""
    return int(year) if _YEAR.fullmatch(year) else None


@router.get("/checkpoint")
async def current_checkpoint(request: Request) -> Response:
    """Answer with the checkpoint of the current year's log."""
    return await _checkpoint(request, await _current(request))


@router.get("/key")
async def current_key(request: Request) -> Response:
    """Answer with the verifier keys of the current year's log."""
    return await _key(request, await _current(request))


@router.get("/tile/{rest:path}")
async def current_tile(request: Request, rest: str) -> Response:
    """Send to the same tile of the current year's log."""
    tile, year = read_tile(rest), await _current(request)
    if tile is None or year is None:
        raise _not_there()
    location = f"{_parts(request).settings.issuer}/log/{year}/{tile.path}"
    return _answer(b"", TEXT, NO_STORE, status=307, location=location)


@router.get("/{year}/checkpoint")
async def checkpoint(request: Request, year: str) -> Response:
    """Answer with the published checkpoint of a year's log."""
    return await _checkpoint(request, read_year(year))


@router.get("/{year}/key")
async def key(request: Request, year: str) -> Response:
    """Answer with the verifier keys of a year's log, the signing one first."""
    return await _key(request, read_year(year))


@router.get("/{year}/tile/{rest:path}")
async def tile(request: Request, year: str, rest: str) -> Response:
    """Answer with a tile that a published checkpoint covers."""
    number, wanted = read_year(year), read_tile(rest)
    if number is None or wanted is None:
        raise _not_there()
    content = await asyncio.to_thread(_parts(request).log.tile, number, wanted)
    return _answer(content, BINARY, FOR_EVER)


@router.get("/{year}/timestamp/{name}")
async def timestamp(request: Request, year: str, name: str) -> Response:
    """Answer with a file of the timestamps over a year's checkpoints."""
    number, kind = read_year(year), _STAMP.fullmatch(name)
    if number is None or kind is None:
        raise _not_there()
    content = await asyncio.to_thread(_parts(request).log.timestamp, number, name)
    return _answer(content, *_STAMPED[name.rpartition(".")[2]])


async def _current(request: Request) -> int | None:
    return await asyncio.to_thread(_parts(request).log.current_year)


async def _checkpoint(request: Request, year: int | None) -> Response:
    if year is None:
        raise _not_there()
    content = await asyncio.to_thread(_parts(request).log.checkpoint, year)
    return _answer(content, TEXT, NO_CACHE)


async def _key(request: Request, year: int | None) -> Response:
    if year is None:
        raise _not_there()
    content = await asyncio.to_thread(_parts(request).log.key, year)
    return _answer(content, TEXT, NO_CACHE)


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def _not_there() -> HTTPException:
    """What the application answers as a problem: nothing that a checkpoint covers."""
    return HTTPException(PathNotFound.status)


def _answer(
    content: bytes | None,
    media_type: str,
    caching: str,
    *,
    status: int = 200,
    location: str | None = None,
) -> Response:
    if content is None:
        raise _not_there()
    headers = {"Cache-Control": caching} | ({"Location": location} if location else {})
    response = Response(content, status, headers=headers, media_type=media_type)
    response.raw_headers.extend(_SAFE)
    return response
