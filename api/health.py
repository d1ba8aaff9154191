"""Whether this worker lives and whether it can answer; public, says nothing else."""

import asyncio

from fastapi import APIRouter, Request, Response

from dtsen.errors import DtsenError

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """Tell that the process answers."""
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Tell whether reads are answered: authority, a release in force, and the log keeping up."""
    parts = request.app.state.parts
    try:
        begun = await asyncio.to_thread(parts.log.current_year) is not None
        parts.delay.check(bulk=False)
        ready = begun and parts.authority.current.release is not None
    except DtsenError:
        ready = False
    return Response("ok\n" if ready else "not ready\n", 200 if ready else 503)
