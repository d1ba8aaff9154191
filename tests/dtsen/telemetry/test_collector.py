"""The collector's configuration in deploy/ lets through what we send, and no more."""

from importlib.resources import files

import yaml

from dtsen.settings import Settings
from dtsen.telemetry.instruments import INSTRUMENTS
from dtsen.telemetry.redaction import ALLOWED_KEYS

ABOUT = {"service.instance.id", "service.name", "service.version"}
SDK = {f"telemetry.sdk.{name}" for name in ("language", "name", "version")}


def configuration():
    return yaml.safe_load((files("deploy") / "otel.yaml").read_text())


def test_it_allows_exactly_what_the_redaction_allows():
    redaction = configuration()["processors"]["redaction"]
    labels = {label for instrument in INSTRUMENTS for label in instrument.labels}
    assert set(redaction["allowed_keys"]) == ALLOWED_KEYS | labels | ABOUT | SDK
    assert redaction["allow_all_keys"] is False


def test_every_pipeline_is_made_of_what_is_configured_and_redacts():
    whole = configuration()
    pipelines = whole["service"]["pipelines"]
    assert set(pipelines) == {"traces", "metrics", "logs"}
    for pipeline in pipelines.values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(whole[kind])
        assert "redaction" in pipeline["processors"]


def test_it_reads_the_metrics_page_where_it_is_by_default():
    (job,) = configuration()["receivers"]["prometheus"]["config"]["scrape_configs"]
    port = Settings.model_fields["metrics_port"].default
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{port}"]}]
