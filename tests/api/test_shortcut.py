"""The shortcut finds what the routers find; an answer in one write is the one of two messages."""

import http.client
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from api.app import create_app
from api.route import GuardedRoute
from api.shortcut import Shortcut, ways
from auth.hops import Hops
from dtsen.settings import Settings
from tests.sandbox import Sandbox

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


def found(app: FastAPI, method: str, path: str) -> Any:
    """What the routers find in full, in their order."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    matches = (route for route in app.router.routes if route.matches(scope)[0] is Match.FULL)
    return next(matches, None)


def paths(app: FastAPI) -> Iterator[str]:
    for route in app.router.routes:
        path = getattr(route, "path", "/")
        yield from (path, path.replace("{", "x").replace("}", "x"), f"{path}/", path[:-1])


def test_the_shortcut_and_the_routers_agree_for_every_path_and_method(app):
    short = ways(app)
    compared = 0
    for path in paths(app):
        for method in METHODS:
            route = found(app, method, path)
            way = short.get((method, path))
            literal = isinstance(route, GuardedRoute) and "{" not in route.path
            assert way is (route.app if literal else None), (method, path)
            compared += 1
    assert compared > 100
    assert len(short) > 5
    assert ("POST", "/v1/individuals/lookup") in short


def test_what_stands_in_front_of_the_routes_stands_in_front_of_the_shortcut():
    behind = create_app(Settings())
    behind.add_middleware(Hops, hops=())
    assert ways(behind)
    assert all(isinstance(way, Hops) for way in ways(behind).values())


def test_traces_go_the_long_way_where_they_are_told(app, monkeypatch):
    assert Shortcut(app).ways
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert not Shortcut(app).ways


def test_an_answer_is_framed_as_http_wants_it(sandbox: Sandbox):
    token = sandbox.token()
    head = {"Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=30)
    for path, status in (("/v1/releases/current", 200), ("/v1/releases/current?x=\x7f", 200)):
        connection.request("GET", path.replace("\x7f", "%7f"), headers=head)
        answer = connection.getresponse()
        assert answer.status == status
        assert len(answer.read()) == int(answer.headers["content-length"])
        assert len(answer.headers.get_all("date")) == 1
        assert "connection" not in answer.headers
    connection.request("GET", "/v1/releases/current", headers=head | {"Connection": "close"})
    answer = connection.getresponse()
    assert answer.headers["connection"] == "close"
    assert answer.read()
    connection.close()
    connection.request("HEAD", "/v1/releases/current", headers=head)
    assert connection.getresponse().status == 405
    connection.close()
