"""Leaks that a caller plants: what FastAPI tells by itself of a request that names a person."""

import asyncio
from contextlib import suppress

from fastapi import FastAPI
from opentelemetry.baggage import get_all
from opentelemetry.sdk.trace import SpanProcessor

from dtsen.telemetry.otlp import Providers
from tests.dtsen.telemetry.plants import NAME, NIK, LookupFailed, Plant

ROUTE = "/v1/individuals/{id}"


def ask(
    providers: Providers,
    path: str,
    *,
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    """One request to a FastAPI application with FastAPI's own telemetry, all of it."""
    app = FastAPI(
        telemetry={
            "tracer_provider": providers.traces,
            "meter_provider": providers.metrics,
            "logger_provider": providers.logs,
        }
    )

    @app.get(ROUTE)
    async def get(id: str) -> None:  # noqa: A002 - as our own route
        raise LookupFailed(id)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": list(headers),
        "server": ("127.0.0.1", 80),
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_):
        pass

    async def call():
        with suppress(LookupFailed):
            await app(scope, receive, send)

    asyncio.run(call())


def url_path(providers):
    ask(providers, f"/v1/individuals/{NIK}")


def url_query(providers):
    ask(providers, "/v1/nothing", query=b"name=" + NAME.replace(" ", "+").encode())


def host_header(providers):
    ask(providers, "/v1/nothing", headers=((b"host", NIK.encode()),))


def tracestate(providers):
    headers = (
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (b"tracestate", b"officer=" + NIK.encode()),
    )
    ask(providers, "/v1/nothing", headers=headers)


def traceparent(providers):
    trace_id = NIK + "ab" * 8
    headers = ((b"traceparent", f"00-{trace_id}-b7ad6b7169203331-01".encode()),)
    ask(providers, "/v1/nothing", headers=headers)


class CopiesBaggage(SpanProcessor):
    """What `opentelemetry-processor-baggage` does: baggage becomes attributes of every span."""

    def on_start(self, span, parent_context=None):
        span.set_attributes(dict(get_all(parent_context)))


def baggage(providers):
    providers.traces.add_span_processor(CopiesBaggage())
    ask(providers, "/v1/nothing", headers=((b"baggage", b"subject=" + NIK.encode()),))


THROUGH_FASTAPI: tuple[Plant, ...] = (
    url_path,
    url_query,
    host_header,
    tracestate,
    traceparent,
    baggage,
)
