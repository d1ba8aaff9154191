"""What telemetry needs to know of the application, and what FastAPI may tell by itself."""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig

from auth.routes import JWKS_PATH, METADATA_PATH, TOKEN_PATH
from dtsen.telemetry import Words

NATIVE: TelemetryConfig = {
    # One span a request; its path and query are dropped by `dtsen.telemetry.redaction`. Metrics are
    # our own. Its logs hold texts and tracebacks, and `auto_configure` adds exporters that redact
    # nothing, whatever the environment says.
    "operation_spans": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
TOKEN_OPERATION = "oauth.token"  # noqa: S105 - an operation's id
TOKEN_CODES = frozenset(
    {
        "body-too-large",
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "rate-limited",
        "unauthorized_client",
        "unavailable",
        "unsupported-media-type",
        "unsupported_grant_type",
    }
)


def words_of(app: FastAPI) -> Words:
    """Operations, route templates and refusal codes of an application whose routes are complete.

    The authorization server's, which are added later, are named here.
    """
    operations, routes = {TOKEN_OPERATION}, {TOKEN_PATH, JWKS_PATH, METADATA_PATH}
    for context in iter_route_contexts(app.routes):
        path = context.path_format or context.path
        if path is not None:
            routes.add(path)
        served = getattr(context.endpoint, "served", None)
        if served is not None:
            operations.add(served.operation.id)
    return Words(frozenset(operations), frozenset(routes), Words().codes | TOKEN_CODES)
