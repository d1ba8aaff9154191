"""OpenTelemetry's SDK, towards the collector that the standard `OTEL_*` variables name.

Imported only where they name one. Whatever is exported passes the redaction inside the exporter,
behind every processor and queue, so that nothing can be added behind it.
"""

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from opentelemetry import _logs, metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.propagators.textmap import CarrierT, Getter, default_getter
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dtsen.telemetry.configured import Signal
from dtsen.telemetry.instruments import Instrument
from dtsen.telemetry.numbers import Numbers
from dtsen.telemetry.redaction import Redaction

CLOSE_SECONDS = 5.0
_TRACEPARENT = "traceparent"
_IDENTIFIER = re.compile(r"[0-9]{15}")


class _Spans(OTLPSpanExporter):
    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return super().export([self._redaction.span(span) for span in spans])


class _Logs(OTLPLogExporter):
    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        return super().export([self._redaction.log(record) for record in batch])


class _Metrics(OTLPMetricExporter):
    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float | None = 10_000,
        **rest: Any,  # noqa: ANN401 - the SDK's signature
    ) -> MetricExportResult:
        redacted = self._redaction.metrics(metrics_data)
        return super().export(redacted, timeout_millis, **rest)


class OnlyTraceparent(TraceContextTextMapPropagator):
    """Continues a caller's trace by its ids alone.

    Tracestate and baggage are free text and are not read. Ids that hold the digits of an identity
    number begin a new trace: whoever made them up out of one would have it kept here. So does, by
    chance, one random trace in a hundred.
    """

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """The caller's trace, if it gives one that we continue."""
        said = getter.get(carrier, _TRACEPARENT)
        if not said or len(said) > 1 or _IDENTIFIER.search(said[0]):
            return context or Context()
        return super().extract({_TRACEPARENT: said[0]}, context)


@dataclass(frozen=True, slots=True)
class Providers:
    """The SDK's providers of the signals asked for, each with its exporter to the collector."""

    traces: TracerProvider | None
    metrics: MeterProvider | None
    logs: LoggerProvider | None

    def install(self) -> None:
        """Make them the process's own; once in a process."""
        propagate.set_global_textmap(OnlyTraceparent())
        if self.traces is not None:
            trace.set_tracer_provider(self.traces)
        if self.metrics is not None:
            metrics.set_meter_provider(self.metrics)
        if self.logs is not None:
            _logs.set_logger_provider(self.logs)

    def flush(self) -> None:
        """Export what waits."""
        for provider in self._all():
            provider.force_flush()

    def close(self) -> None:
        """Export what waits, for five seconds at most, and end."""
        deadline = time.monotonic() + CLOSE_SECONDS
        ends = [threading.Thread(target=one.shutdown, daemon=True) for one in self._all()]
        for end in ends:
            end.start()
        for end in ends:
            end.join(max(0.0, deadline - time.monotonic()))

    def _all(self) -> list[TracerProvider | MeterProvider | LoggerProvider]:
        return [one for one in (self.traces, self.metrics, self.logs) if one is not None]


def providers(
    wanted: frozenset[Signal], redaction: Redaction, *, service: str, version: str
) -> Providers:
    """Providers for these signals; endpoint, headers, TLS, sampling as `OTEL_*` say."""
    resource = Resource.create({SERVICE_VERSION: version})
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: service}))
    traces = meters = logs = None
    if "metrics" in wanted:
        reader = PeriodicExportingMetricReader(_Metrics(redaction))
        meters = MeterProvider(
            [reader],
            resource,
            exemplar_filter=AlwaysOffExemplarFilter(),
            shutdown_on_exit=False,
        )
    if "traces" in wanted:
        traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        traces.add_span_processor(BatchSpanProcessor(_Spans(redaction)))
    if "logs" in wanted:
        logs = LoggerProvider(resource, shutdown_on_exit=False)
        logs.add_log_record_processor(BatchLogRecordProcessor(_Logs(redaction)))
    return Providers(traces, meters, logs)


def publish(provider: MeterProvider, numbers: Numbers) -> None:
    """Have the SDK export a worker's numbers: histograms as told, the rest when it asks."""
    meter = provider.get_meter("dtsen.telemetry")
    for instrument in numbers.instruments():
        about = {"unit": instrument.unit, "description": instrument.help}
        if instrument.kind == "histogram":
            made = meter.create_histogram(
                instrument.name, **about, explicit_bucket_boundaries_advisory=instrument.bounds
            )
            for values, histogram in numbers.histograms(instrument):
                histogram.also = partial(made.record, attributes=_attributes(instrument, values))
        else:
            _observe(meter, instrument, numbers)


def _observe(meter: Meter, instrument: Instrument, numbers: Numbers) -> None:
    def told(_: CallbackOptions) -> Iterable[Observation]:
        now = time.monotonic()
        for values, value in numbers.values(instrument):
            said = now - value if instrument.kind == "age" else value
            yield Observation(said, _attributes(instrument, values))

    counts = instrument.kind == "counter"
    create = meter.create_observable_counter if counts else meter.create_observable_gauge
    create(instrument.name, [told], unit=instrument.unit, description=instrument.help)


def _attributes(instrument: Instrument, values: tuple[str, ...]) -> dict[str, str]:
    return {f"dtsen.{name}": value for name, value in zip(instrument.labels, values, strict=True)}
