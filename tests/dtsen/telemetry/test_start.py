"""A process's telemetry, from its start to its end, each in a process of its own."""

import os
import subprocess
import sys
import time

import pytest

from dtsen.telemetry import TelemetryError
from dtsen.telemetry.configured import signals
from tests.leaks import Collector

START = """
import logging, sys
from opentelemetry import _logs, metrics, trace
from dtsen.telemetry import Words, start
telemetry = start(Words(frozenset({"individuals.lookup"})), service="dtsen-api", version="0.1.0")
with trace.get_tracer("dtsen").start_as_current_span("GET") as span:
    telemetry.answered("individuals.lookup", 200, 0.002)
    telemetry.refused("rate-limited")
telemetry.disclosed("individuals.lookup", 3)
telemetry.departed(20, 5)
telemetry.committed(0.004)
logging.getLogger("dtsen").warning("said")
telemetry.close()
print("opentelemetry.sdk" in sys.modules, span.is_recording(), span.get_span_context().is_valid)
"""


def run(**env):
    began = time.monotonic()
    clean = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", START],
        env=clean | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done, time.monotonic() - began


def test_without_an_endpoint_nothing_of_the_sdk_is_loaded():
    done, _ = run()
    assert done.stdout == "False False False\n"
    assert done.stderr.endswith("WARNING dtsen: said\n")


def test_traces_metrics_and_logs_go_to_the_collector():
    with Collector() as collector:
        done, _ = run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint)
    assert done.stdout.startswith("True ")
    told = dict(collector.messages())
    assert set(told) == {"traces", "metrics", "logs"}
    (span,) = told["traces"].resource_spans[0].scope_spans[0].spans
    assert {one.key: one.value.string_value for one in span.attributes} == {
        "dtsen.operation": "individuals.lookup",
        "dtsen.code": "rate-limited",
    }
    (record,) = told["logs"].resource_logs[0].scope_logs[0].log_records
    assert record.body.string_value == "said"
    assert record.severity_number == 13
    (scope,) = told["metrics"].resource_metrics[0].scope_metrics
    metrics = {one.name: one for one in scope.metrics}
    assert counted(metrics["dtsen.requests"])["individuals.lookup", "2xx"] == 1
    assert counted(metrics["dtsen.people.disclosed"])["individuals.lookup",] == 3
    assert counted(metrics["dtsen.refusals"])["rate-limited",] == 1
    (batch,) = metrics["dtsen.gate.batch.size"].histogram.data_points
    assert (batch.count, batch.sum) == (1, 20)
    assert metrics["dtsen.gate.waiting"].gauge.data_points[0].as_double == 5
    assert 0 <= metrics["dtsen.authority.age"].gauge.data_points[0].as_double < 60


def counted(metric):
    return {
        tuple(one.value.string_value for one in point.attributes): point.as_double
        for point in metric.sum.data_points
    }


def test_a_collector_that_is_away_delays_the_end_by_seconds_only():
    done, seconds = run(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 0
    assert seconds < 12
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, set()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, {"traces", "metrics", "logs"}),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, {"traces"}),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_LOGS_EXPORTER": "none"},
            {"traces", "metrics"},
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, set()),
    ],
)
def test_the_standard_variables_choose_the_signals(monkeypatch, env, wanted):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    assert signals() == wanted


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json"),
    ],
)
def test_what_we_do_not_speak_is_refused_by_name(monkeypatch, name, text):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x")
    monkeypatch.setenv(name, text)
    with pytest.raises(TelemetryError, match="OTEL_"):
        signals()
