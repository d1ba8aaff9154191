"""A collector, providers with and without our redaction, and logging put back as it was."""

import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from dtsen.telemetry import Words
from dtsen.telemetry.configured import SIGNALS
from dtsen.telemetry.otlp import OnlyTraceparent, Providers, providers
from dtsen.telemetry.redaction import Redaction
from tests.dtsen.telemetry.plants_http import ROUTE
from tests.leaks import Collector

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
WORDS = Words(frozenset({"individuals.get"}), frozenset({ROUTE}))


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as one:
        yield one


@pytest.fixture
def redacting(collector, monkeypatch) -> Iterator[Providers]:
    """Our providers, and our propagator."""
    monkeypatch.setenv(ENDPOINT, collector.endpoint)
    made = providers(frozenset(SIGNALS), Redaction(WORDS), service="dtsen-api", version="0")
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(OnlyTraceparent())
    yield made
    propagate.set_global_textmap(before)
    made.close()


@pytest.fixture
def bare(collector, monkeypatch) -> Iterator[Providers]:
    """The SDK as it comes."""
    monkeypatch.setenv(ENDPOINT, collector.endpoint)
    made = Providers(TracerProvider(), MeterProvider([_reader()]), LoggerProvider())
    made.traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    made.logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    yield made
    made.close()


def _reader():
    return PeriodicExportingMetricReader(OTLPMetricExporter())


@pytest.fixture
def log_stream() -> Iterator[io.StringIO]:
    """A stream to log into; logging and Python's hooks are put back as they were after."""
    root = logging.getLogger()
    kept = (root.handlers[:], root.level, logging.raiseExceptions)
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning)
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, logging.raiseExceptions = kept
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks
    logging.getLogger("uvicorn.access").disabled = False
