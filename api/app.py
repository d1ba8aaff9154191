"""The application: its parts, its routes, and what an unknown path or method answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from api.app_problems import unrecorded
from api.assembly import assemble
from api.authorization import authorization_parts
from api.routers import include_all
from api.telemetry import native, telemetry_of
from auth.routes import oauth_router
from dtsen.errors import InternalError, MethodNotAllowed, PathNotFound
from dtsen.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The application over these settings; its parts live as long as its lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with telemetry_of(app, settings) as telemetry, assemble(settings, telemetry) as parts:
            app.state.parts = parts
            app.include_router(oauth_router(authorization_parts(parts)))
            yield

    app = FastAPI(
        title="DTSEN Reference API",
        lifespan=lifespan,
        telemetry=native(),
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(Exception, _defect)
    include_all(app)
    return app


async def _http_problem(request: Request, error: Exception) -> Response:
    """What the router itself refuses: an unknown path, a method that a path does not serve."""
    if not isinstance(error, HTTPException):
        raise error
    allowed = (error.headers or {}).get("Allow")
    known = MethodNotAllowed if error.status_code == MethodNotAllowed.status else PathNotFound
    return unrecorded(request, known(headers={"Allow": allowed} if allowed else None))


async def _defect(request: Request, _: Exception) -> Response:
    return unrecorded(request, InternalError())
