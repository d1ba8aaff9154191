"""Every planted leak is found when it goes around us, and none when it goes through us."""

import json
import logging

import pytest

from dtsen.telemetry.logs import configure
from tests.dtsen.telemetry.conftest import WORDS
from tests.dtsen.telemetry.plants import (
    NAME,
    NIK,
    THROUGH_LOGGING,
    THROUGH_THE_SDK,
    tracer,
)
from tests.dtsen.telemetry.plants_http import ROUTE, THROUGH_FASTAPI, ask
from tests.leaks import Secrets

SECRETS = Secrets(nik=[NIK], name=[NAME])


def named(plants):
    return pytest.mark.parametrize("plant", plants, ids=[plant.__name__ for plant in plants])


@named(THROUGH_THE_SDK + THROUGH_FASTAPI)
def test_the_bare_sdk_tells_a_planted_leak(plant, bare, collector):
    plant(bare)
    bare.flush()
    assert SECRETS.scan(collector.texts())


@named(THROUGH_THE_SDK + THROUGH_FASTAPI)
def test_nothing_planted_passes_the_redaction(plant, redacting, collector):
    plant(redacting)
    redacting.flush()
    assert collector.bodies
    assert SECRETS.scan(collector.texts()) == []


class EverythingFormatter(logging.Formatter):
    """A formatter of the usual careless kind."""

    def format(self, record):
        return super().format(record) + json.dumps(vars(record), default=str)


@named(THROUGH_LOGGING)
def test_a_usual_log_tells_a_planted_leak(plant, log_stream):
    handler = logging.StreamHandler(log_stream)
    handler.setFormatter(EverythingFormatter())
    logging.getLogger().handlers[:] = [handler]
    plant(None)
    assert SECRETS.scan([("log", log_stream.getvalue())])


@named(THROUGH_LOGGING)
def test_no_log_line_tells_what_was_planted(plant, redacting, collector, log_stream):
    configure(WORDS, provider=redacting.logs, stream=log_stream)
    plant(None)
    redacting.flush()
    told = log_stream.getvalue()
    assert told.count("\n") == 1
    exported = [text for place, text in collector.texts() if "body" in place]
    assert exported == [told.rstrip("\n").split(": ", 1)[1]]
    assert SECRETS.scan([("log", told)], collector.texts()) == []


def test_what_is_allowed_is_exported_whole(redacting, collector):
    ask(redacting, f"/v1/individuals/{NIK}")
    redacting.flush()
    ((signal, message),) = collector.messages()[:1]
    assert signal == "traces"
    (span,) = [
        span
        for scope in message.resource_spans[0].scope_spans
        for span in scope.spans
        if span.name == f"GET {ROUTE}"
    ]
    told = {one.key: one.value for one in span.attributes}
    assert told["http.route"].string_value == ROUTE
    assert told["http.request.method"].string_value == "GET"
    assert told["http.response.status_code"].int_value == 500
    assert told["error.type"].string_value.endswith("LookupFailed")
    assert set(told) == {
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
    resource = {
        one.key: one.value.string_value for one in message.resource_spans[0].resource.attributes
    }
    assert resource["service.name"] == "dtsen-api"


def test_an_exception_keeps_its_type(redacting, collector):
    with tracer(redacting).start_as_current_span("GET") as span:
        span.record_exception(TimeoutError(NAME))
    redacting.flush()
    told = [text for place, text in collector.texts() if ".events." in place]
    assert "exception" in told
    assert "TimeoutError" in told


def test_a_callers_trace_is_continued(redacting, collector):
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = ((b"traceparent", f"00-{trace_id}-{span_id}-01".encode()),)
    ask(redacting, "/v1/nothing", headers=headers)
    redacting.flush()
    told = dict(reversed([(place.rpartition(".")[2], text) for place, text in collector.texts()]))
    assert told["trace_id"] == trace_id
    assert span_id in {text for place, text in collector.texts() if "parent_span_id" in place}
