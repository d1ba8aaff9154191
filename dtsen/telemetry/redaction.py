"""What may leave towards a collector: everything else is dropped, last thing before it is encoded.

Built anew from what is allowed rather than cleaned of what is forbidden, so that a new field of the
SDK, or code that goes around us to the global providers, tells nothing. Allowed are numbers, times,
ids of traces, and words on the closed lists of `words.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import Metric, MetricsData, ScopeMetrics
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status
from opentelemetry.util.types import AttributeValue

from dtsen.telemetry.instruments import INSTRUMENTS
from dtsen.telemetry.words import (
    METHODS,
    OTHER,
    STATUS_CLASSES,
    WITHHELD,
    Told,
    Words,
    is_exception,
    module_of,
)

EXCEPTION = "exception"
ALLOWED_KEYS = frozenset(
    {
        "dtsen.code",
        "dtsen.operation",
        "dtsen.status",
        "error.type",
        "exception.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
)
_CHOICES: Mapping[str, frozenset[str]] = {
    "http.request.method": METHODS | {"_OTHER"},
    "network.protocol.version": frozenset({"1.0", "1.1", "2", "3"}),
    "url.scheme": frozenset({"http", "https"}),
    "dtsen.status": frozenset(STATUS_CLASSES),
}
_OURS = {instrument.name: instrument for instrument in INSTRUMENTS}

_Attributes: TypeAlias = Mapping[str, object] | None


class Redaction:
    """Rebuilds spans, log records and metrics from what these words allow."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._choices = {
            **_CHOICES,
            "http.route": words.routes,
            "dtsen.operation": words.operations | {OTHER},
            "dtsen.code": words.codes | {OTHER},
        }

    def span(self, span: ReadableSpan) -> ReadableSpan:
        """A span without anything but its allowed attributes, times, ids and status code."""
        known = self._words.is_span_name(span.name)
        return ReadableSpan(
            span.name if known else WITHHELD,
            context=_bare(span.context),
            parent=_bare(span.parent),
            resource=span.resource,
            attributes=self._attributes(span.attributes),
            events=[self._event(event) for event in span.events],
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=_scope(span.instrumentation_scope),
        )

    def log(self, record: ReadableLogRecord) -> ReadableLogRecord:
        """A log record without any body but one that `logs.py` made."""
        given = record.log_record
        made = LogRecord(
            timestamp=given.timestamp,
            observed_timestamp=given.observed_timestamp,
            severity_number=given.severity_number,
            body=str(given.body) if type(given.body) is Told else WITHHELD,
            attributes=self._attributes(given.attributes),
        )
        # The constructor would take these from the thread that exports.
        made.trace_id = given.trace_id
        made.span_id = given.span_id
        made.trace_flags = given.trace_flags
        return ReadableLogRecord(made, record.resource, _scope(record.instrumentation_scope))

    def metrics(self, data: MetricsData) -> MetricsData:
        """Only our own instruments, and of these only series whose every label is allowed."""
        return MetricsData(
            [
                replace(
                    resource,
                    schema_url="",
                    scope_metrics=[
                        ScopeMetrics(
                            _scope(scope.scope) or InstrumentationScope(WITHHELD),
                            [self._metric(m) for m in scope.metrics if m.name in _OURS],
                            schema_url="",
                        )
                        for scope in resource.scope_metrics
                    ],
                )
                for resource in data.resource_metrics
            ]
        )

    def _metric(self, metric: Metric) -> Metric:
        ours = _OURS[metric.name]
        points = [
            replace(point, exemplars=[])
            for point in metric.data.data_points
            if self._attributes(point.attributes) == dict(point.attributes or {})
        ]
        data = replace(metric.data, data_points=points)  # type: ignore[arg-type]  # one kind each
        return Metric(ours.name, ours.help, ours.unit, data)

    def _event(self, event: Event) -> Event:
        """Of an exception its type; of any other event that there was one, and when."""
        name = EXCEPTION if event.name == EXCEPTION else WITHHELD
        return Event(name, self._attributes(event.attributes), event.timestamp)

    def _attributes(self, attributes: _Attributes) -> dict[str, AttributeValue]:
        return {
            key: value
            for key, value in (attributes or {}).items()
            if key in ALLOWED_KEYS and isinstance(value, str | int) and self._allows(key, value)
        }

    def _allows(self, key: str, value: str | int) -> bool:
        if key == "http.response.status_code":
            return type(value) is int and 100 <= value <= 599  # noqa: PLR2004 - HTTP statuses
        if type(value) is not str:
            return False
        if key in {"error.type", "exception.type"}:
            status = len(value) == 3 and value.isascii() and value.isdigit()  # noqa: PLR2004 - 500
            return status or is_exception(value)
        return value in self._choices.get(key, ())


def _bare(context: SpanContext | None) -> SpanContext | None:
    """A span's ids without the tracestate, which callers fill."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def _scope(scope: InstrumentationScope | None) -> InstrumentationScope | None:
    return None if scope is None else InstrumentationScope(module_of(scope.name))
