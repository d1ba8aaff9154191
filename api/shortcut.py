"""The way of most requests: from a literal path to its guarded route, past all routers.

A guarded route judges, answers and fails by itself; what stands before it (five layers of FastAPI
and Starlette, then a walk over all routes) would only find it. Everything else goes the long way.
"""

from contextlib import suppress

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app_problems import unrecorded
from api.route import GuardedRoute
from dtsen.errors import InternalError
from dtsen.telemetry import signals


class Shortcut:
    """An application whose guarded routes without parameters are found at once."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.ways = {} if "traces" in signals() else ways(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of ASGI."""
        way = self.ways.get((scope.get("method"), scope.get("path")))
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        try:
            await way(scope, receive, send)
        except Exception:
            # As Starlette does: whoever still can be told is, and the server logs the class.
            with suppress(Exception):
                await unrecorded(Request(scope), InternalError())(scope, receive, send)
            raise


def ways(app: FastAPI) -> dict[tuple[str | None, str | None], ASGIApp]:
    """What the routers would find, by method and path; of two for the same, the first."""
    found: dict[tuple[str | None, str | None], ASGIApp] = {}
    for route in app.router.routes:
        if isinstance(route, GuardedRoute) and "{" not in route.path:
            for method in route.methods or ():
                found.setdefault((method, route.path), _through(app, route.app))
    return found


def _through(app: FastAPI, way: ASGIApp) -> ASGIApp:
    """A way behind all that the application has added in front of its routes."""
    for middleware, arguments, named in reversed(app.user_middleware):
        way = middleware(way, *arguments, **named)
    return way
