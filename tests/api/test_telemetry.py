"""What FastAPI tells by itself, and the lists that telemetry speaks from."""

import os
import subprocess
import sys

from api.app import create_app
from api.telemetry import words_of
from dtsen.settings import Settings
from tests.leaks import Collector, Secrets

NIK = "3374990101900001"

SERVE = f"""
import asyncio
from contextlib import suppress
from fastapi import FastAPI
from opentelemetry.trace import SpanContext
from api.telemetry import native
from dtsen.telemetry import Words, start

app = FastAPI(telemetry=native())

@app.get("/v1/individuals/{{id}}")
async def get(id: str) -> None:
    raise LookupError(id)

async def run(scope, *received):
    waiting = list(received)
    async def receive():
        return waiting.pop(0)
    async def send(_):
        pass
    with suppress(LookupError):
        await app(scope, receive, send)

telemetry = start(Words(), service="dtsen-api", version="0")
startup, shutdown = {{"type": "lifespan.startup"}}, {{"type": "lifespan.shutdown"}}
asyncio.run(run({{"type": "lifespan", "app": app}}, startup, shutdown))
path = "/v1/individuals/{NIK}"
scope = {{"type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
    "query_string": b"nik={NIK}", "http_version": "1.1", "scheme": "http",
    "headers": [(b"tracestate", b"nik={NIK}"), (b"baggage", b"nik={NIK}")]}}
asyncio.run(run(scope, {{"type": "http.request", "body": b""}}))
telemetry.close()
"""


def test_fastapi_tells_one_redacted_span_a_request_whatever_the_environment_says():
    with Collector() as collector:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
        }
        subprocess.run([sys.executable, "-c", SERVE], env=os.environ | env, check=True, timeout=60)
    told = [message for signal, message in collector.messages() if signal == "traces"]
    assert [len(scope.spans) for one in told for scope in one.resource_spans[0].scope_spans] == [1]
    assert {signal for signal, _ in collector.messages()} == {"traces", "metrics"}
    names = [text for place, text in collector.texts() if place.endswith(".metrics.name")]
    assert names
    assert all(name.startswith("dtsen.") for name in names)
    assert Secrets(nik=[NIK]).scan(collector.texts()) == []


def test_every_operation_and_route_is_on_the_lists(tmp_path):
    words = words_of(create_app(Settings(home=tmp_path)))
    assert {"individuals.lookup", "families.get", "oauth.token"} <= words.operations
    assert {"/v1/individuals/{id}", "/oauth/token", "/problems/{code}"} <= words.routes
    assert {"rate-limited", "subject-not-found", "invalid_client"} <= words.codes
