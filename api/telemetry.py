"""What telemetry needs to know of the application, and what FastAPI may tell by itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig

from api.metrics import numbers_folder
from auth.inspecting import IntrospectionEndpoint, RevocationEndpoint
from auth.issuing import TokenEndpoint
from auth.metadata import ENDPOINTS, JWKS_PATH, METADATA_PATH
from dtsen.embedded import EmbeddedError
from dtsen.settings import Settings, SettingsError
from dtsen.telemetry import Telemetry, TelemetryError, Words, signals, start

SERVICE = "dtsen-api"
SPOKEN = (EmbeddedError, SettingsError, TelemetryError)
"""Errors whose text we wrote for operators: of settings and folders, never of people."""
log = logging.getLogger(__name__)

OAUTH_OPERATIONS = tuple(
    kind.operation for kind in (TokenEndpoint, IntrospectionEndpoint, RevocationEndpoint)
)
TOKEN_CODES = frozenset(
    {
        "body-too-large",
        "invalid_client",
        "invalid_dpop_proof",
        "invalid_request",
        "invalid_scope",
        "rate-limited",
        "unauthorized_client",
        "unavailable",
        "unsupported-media-type",
        "unsupported_grant_type",
        "use_dpop_nonce",
    }
)


def native() -> TelemetryConfig:
    """What FastAPI tells by itself: one span a request where traces are asked for, else nothing.

    The span's path and query are dropped by `dtsen.telemetry.redaction`. Metrics are our own.
    FastAPI's logs hold texts and tracebacks, and its `auto_configure` adds exporters that redact
    nothing. Whether it is to trace is said outright, since else it asks at every request.

    Raises:
        TelemetryError: `OTEL_*` ask for what we do not do.
    """
    return {
        "tracing": "traces" in signals(),
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
    }


def words_of(app: FastAPI) -> Words:
    """Operations, route templates and refusal codes of an application whose routes are complete.

    The authorization server's, which are added later, are named here.
    """
    operations = set(OAUTH_OPERATIONS)
    routes = {*ENDPOINTS.values(), JWKS_PATH, METADATA_PATH}
    for context in iter_route_contexts(app.routes):
        path = context.path_format or context.path
        if path is not None:
            routes.add(path)
        served = getattr(context.endpoint, "served", None)
        if served is not None:
            operations.add(served.operation.id)
    return Words(frozenset(operations), frozenset(routes), Words().codes | TOKEN_CODES)


@asynccontextmanager
async def telemetry_of(app: FastAPI, settings: Settings) -> AsyncIterator[Telemetry]:
    """The telemetry of a worker, from before its parts are made until they are gone."""
    telemetry = start(
        words_of(app),
        service=SERVICE,
        version=version(SERVICE),
        folder=numbers_folder(settings),
        spoken=SPOKEN,
    )
    try:
        yield telemetry
    except SPOKEN as error:
        # The server would log a traceback as text, which is withheld.
        log.error("the worker cannot serve: %s", error)  # noqa: TRY400 - its text is all of it
        raise
    finally:
        await asyncio.to_thread(telemetry.close)
