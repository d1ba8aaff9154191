"""Every route demands a mandate, or is listed here as public."""

import asyncio

import pytest
import yaml
from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.call import Served
from api.route import GuardedRoute
from dtsen.settings import Settings
from tests.documented import FILE
from tests.examples import operations

PUBLIC = {
    "/healthz",
    "/readyz",
    "/problems/{code}",
    "/docs",
    "/log/checkpoint",
    "/log/key",
    "/log/tile/{rest:path}",
    "/log/{year}/checkpoint",
    "/log/{year}/key",
    "/log/{year}/tile/{rest:path}",
    "/log/{year}/timestamp/{name}",
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/jwks",
    "/oauth/{rest:path}",
    "/.well-known/oauth-authorization-server",
}
"""What contract 4 opens to anybody, without a token."""


def unguarded(app: FastAPI) -> set[str]:
    """Paths of routes that ask for no mandate."""
    return {
        str(route.path)
        for route in iter_route_contexts(app.routes)
        if not isinstance(route.original_route, GuardedRoute)
        or not isinstance(getattr(route.endpoint, "served", None), Served)
    }


@pytest.fixture(scope="module")
def routes_while_running(sandbox):
    """Paths without guard of an application that runs, when all its routes are there."""
    app = create_app(Settings(home=sandbox.home))

    async def run() -> set[str]:
        async with app.router.lifespan_context(app):
            return unguarded(app)

    return asyncio.run(run())


def test_no_route_is_public_but_those_listed(routes_while_running):
    assert routes_while_running == PUBLIC


def test_a_route_that_forgets_its_guard_is_noticed():
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router = APIRouter(prefix="/v1")

    @router.get("/open")
    async def forgotten() -> Response:
        return Response()

    app.include_router(router)
    assert unguarded(app) == {"/v1/open"}


def test_a_guarded_route_that_does_not_say_what_it_serves_cannot_be_added():
    router = APIRouter(route_class=GuardedRoute)

    async def unsaid() -> Response:
        return Response()

    with pytest.raises(AttributeError, match="served"):
        router.get("/unsaid")(unsaid)


def test_the_document_describes_every_guarded_route_and_no_other():
    described = operations(yaml.safe_load(FILE.read_text()))
    served_here = {
        route.endpoint.served.operation.id: (*route.methods, route.path_format)
        for route in iter_route_contexts(create_app(Settings()).routes)
        if isinstance(route.original_route, GuardedRoute)
        and route.original_route.include_in_schema  # the log's entries: C2SP describes them
    }
    assert served_here == {name: told[:2] for name, told in described.items()}


def test_scopes_of_the_document_are_those_that_are_demanded():
    described = operations(yaml.safe_load(FILE.read_text()))
    for route in iter_route_contexts(create_app(Settings()).routes):
        if (
            isinstance(route.original_route, GuardedRoute)
            and route.original_route.include_in_schema
        ):
            operation = route.endpoint.served.operation
            (scopes,) = described[operation.id][2]["security"][0].values()
            assert scopes == ([operation.scope] if operation.scope else [])
