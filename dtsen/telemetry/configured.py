"""Which signals the standard `OTEL_*` variables ask for, read without importing the SDK."""

import os
from typing import Literal

Signal = Literal["traces", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")
PROTOCOL = "http/protobuf"


class TelemetryError(RuntimeError):
    """The `OTEL_*` variables ask for what we do not do; the text names the variable."""


def signals() -> frozenset[Signal]:
    """The signals to export: those with an endpoint, unless switched off.

    Raises:
        TelemetryError: another exporter or protocol is asked for.
    """
    if _said("OTEL_SDK_DISABLED") == "true":
        return frozenset()
    return frozenset(signal for signal in SIGNALS if _wanted(signal.upper()))


def _wanted(signal: str) -> bool:
    exporter = _said(f"OTEL_{signal}_EXPORTER") or "otlp"
    endpoints = (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    if exporter == "none" or not any(map(_said, endpoints)):
        return False
    if exporter != "otlp":
        raise TelemetryError(f"OTEL_{signal}_EXPORTER: only otlp and none are known here")
    protocols = (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    if next(filter(None, map(_said, protocols)), PROTOCOL) != PROTOCOL:
        raise TelemetryError(f"OTEL_EXPORTER_OTLP_PROTOCOL: only {PROTOCOL} is spoken here")
    return True


def _said(name: str) -> str:
    return os.environ.get(name, "").strip().lower()
