"""Leaks planted on purpose: code as somebody may write it one day, each telling a person."""

import asyncio
import logging
from collections.abc import Callable

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from dtsen.telemetry.otlp import Providers

NIK = "3374990101900001"
NAME = "Sintewati Rekawijaya"

Plant = Callable[[Providers], None]


class LookupFailed(Exception):
    pass


def tracer(providers: Providers, name: str = __name__):
    assert isinstance(providers.traces, TracerProvider)
    return providers.traces.get_tracer(name)


def meter(providers: Providers, name: str = __name__):
    assert isinstance(providers.metrics, MeterProvider)
    return providers.metrics.get_meter(name)


def otel_logger(providers: Providers, name: str = __name__):
    assert isinstance(providers.logs, LoggerProvider)
    return providers.logs.get_logger(name)


def span_attribute(providers):
    with tracer(providers).start_as_current_span("GET") as span:
        span.set_attribute("nik", NIK)


def span_attribute_under_a_known_name(providers):
    with tracer(providers).start_as_current_span("GET") as span:
        span.set_attribute("http.route", f"/v1/individuals/{NIK}")


def error_type(providers):
    with tracer(providers).start_as_current_span("GET") as span:
        span.set_attribute("error.type", NAME)


def span_name(providers):
    tracer(providers).start_span(f"GET /v1/individuals/{NIK}").end()


def span_name_of_words(providers):
    tracer(providers).start_span(f"look up {NAME}").end()


def tracer_name(providers):
    tracer(providers, NAME).start_span("GET").end()


def span_event(providers):
    with tracer(providers).start_as_current_span("GET") as span:
        span.add_event(f"found {NAME}", {"who": NIK})


def exception_text(providers):
    with tracer(providers).start_as_current_span("GET") as span:
        span.record_exception(LookupFailed(f"no row for {NIK} ({NAME})"))


def status_description(providers):
    with tracer(providers).start_as_current_span("GET") as span:
        span.set_status(StatusCode.ERROR, f"{NAME} is not found")


def link_attribute(providers):
    context = SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(1))
    tracer(providers).start_span("GET", links=[Link(context, {"subject": NIK})]).end()


def parent_tracestate(providers):
    state = TraceState([("nik", NIK)])
    parent = NonRecordingSpan(
        SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    )
    tracer(providers).start_span("GET", context=set_span_in_context(parent)).end()


def metric_label(providers):
    meter(providers).create_counter("dtsen.refusals").add(1, {"dtsen.code": NIK})


def metric_name(providers):
    meter(providers).create_counter("lookups_of_" + NIK).add(1)


def metric_description(providers):
    meter(providers).create_counter("dtsen.refusals", description=NAME).add(1)


def otel_log_body(providers):
    otel_logger(providers).emit(body=f"looked up {NAME}", severity_text=NIK, event_name=NIK)


def otel_log_attribute(providers):
    otel_logger(providers).emit(body="looked up", attributes={"nik": NIK})


def otel_log_exception(providers):
    otel_logger(providers).emit(body="failed", exception=LookupFailed(NAME))


def log_argument(_):
    logging.getLogger(__name__).warning("no row for %s", NIK)


def log_argument_as_a_number(_):
    logging.getLogger(__name__).warning("no row for %d", int(NIK))


def log_mapping(_):
    logging.getLogger(__name__).warning("no row for %(name)s", {"name": NAME})


def log_text(_):
    logging.getLogger(__name__).warning(f"no row for {NAME}")  # noqa: G004 - the leak


def log_extra(_):
    logging.getLogger(__name__).warning("no row", extra={"nik": NIK})


def fail(cause=None):
    raise LookupFailed(f"no row for {NAME}") from cause


def log_exception(_):
    try:
        fail()
    except LookupFailed:
        logging.getLogger(__name__).exception("failed")


def log_exception_argument(_):
    logging.getLogger(__name__).warning("failed: %s", LookupFailed(NIK))


def log_cause(_):
    try:
        fail(ValueError(NIK))
    except LookupFailed:
        logging.getLogger(__name__).exception("failed")


def logger_name(_):
    logging.getLogger(f"{__name__}.{NIK}").warning("no row")


def task_exception(_):
    async def failing():
        fail()

    async def forget():
        task = asyncio.ensure_future(failing())
        await asyncio.sleep(0)
        # What asyncio itself says of a task that nobody awaited.
        asyncio.get_running_loop().call_exception_handler(
            {"message": "never retrieved", "exception": task.exception(), "task": task}
        )

    asyncio.run(forget())


THROUGH_THE_SDK: tuple[Plant, ...] = (
    span_attribute,
    span_attribute_under_a_known_name,
    error_type,
    span_name,
    span_name_of_words,
    tracer_name,
    span_event,
    exception_text,
    status_description,
    link_attribute,
    parent_tracestate,
    metric_label,
    metric_name,
    metric_description,
    otel_log_body,
    otel_log_attribute,
    otel_log_exception,
)
THROUGH_LOGGING: tuple[Plant, ...] = (
    log_argument,
    log_argument_as_a_number,
    log_mapping,
    log_text,
    log_extra,
    log_exception,
    log_exception_argument,
    log_cause,
    logger_name,
    task_exception,
)
