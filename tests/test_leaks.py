"""The detector of leaks finds what it is to find, where it is, and nothing else."""

import base64
import hashlib
import json
from urllib.parse import quote

import httpx2
import pytest

from api.problems import problem_body
from api.strict_json import validate
from api.v1.individuals import IndividualLookup
from dtsen.errors import InvalidRequest, MalformedRequest
from tests.leaks import Collector, Finding, Secrets, lines

NIK = "3374990101900001"
NAME = "Sintewati Rekawijaya"
SECRETS = Secrets(nik=[NIK], name=[NAME], officer=["pegawai-17"], code=["33.74"])

TOLD = {
    "as it is": f"nik={NIK}",
    "within a longer number": f"9{NIK}9",
    "broken into groups": "3374.99 010190-0001",
    "percent-encoded": "%3" + "%3".join(NIK),
    "as hex": NIK.encode().hex(),
    "as base64": "x " + base64.b64encode(b'{"nik":"' + NIK.encode() + b'"}').decode(),
    "as a digest": hashlib.sha256(NIK.encode()).hexdigest().upper(),
    "in a trace id": NIK + "0af7651916cd43dd",
}


@pytest.mark.parametrize("how", TOLD)
def test_a_number_is_found(how):
    assert SECRETS.scan([("here", TOLD[how])]) == [Finding("nik", NIK, "here")]


@pytest.mark.parametrize(
    "text",
    [
        f"who: {NAME}",
        NAME.upper(),
        quote(NAME),
        "name=Sintewati+Rekawijaya",
        json.dumps({"nama": NAME}),
        "sintewati_rekawijaya",
        base64.b64encode(NAME.encode()).decode(),
        "\\u0053intewati Rekawijaya",
    ],
)
def test_a_name_is_found(text):
    assert SECRETS.scan([("here", text)]) == [Finding("name", NAME, "here")]


def test_each_place_is_told_with_each_of_its_secrets():
    texts = [("one", f"{NIK} for PEGAWAI-17"), ("two", "nothing"), ("three", NAME)]
    assert SECRETS.scan(texts[:1], texts[1:]) == [
        Finding("nik", NIK, "one"),
        Finding("officer", "pegawai-17", "one"),
        Finding("name", NAME, "three"),
    ]


@pytest.mark.parametrize(
    "text",
    ["Sintewati alone", "Sintewati Rekawijayanti", "337499010190000", "pegawai-170", "33.745", ""],
)
def test_what_is_not_told_is_not_found(text):
    assert SECRETS.scan([("here", text)]) == []


def test_a_secret_too_short_to_mean_anything_is_refused():
    with pytest.raises(ValueError, match="name"):
        Secrets(name=["Ani"])


def test_lines_of_a_log_are_numbered(tmp_path):
    log = tmp_path / "worker.log"
    log.write_text(f"started\nno row for {NIK}\n")
    assert SECRETS.scan(lines(log)) == [Finding("nik", NIK, "worker.log:2")]


def test_what_is_no_telemetry_at_all_is_not_taken_for_silence():
    with Collector() as collector:
        assert httpx2.post(collector.endpoint + "/v1/other", content=b"x").status_code == 200
        with pytest.raises(KeyError):
            list(collector.texts())


def problem(error):
    return problem_body(error, issuer="http://localhost", instance="x", language="id").decode()


def test_an_error_that_repeats_what_was_sent_is_found():
    echo = MalformedRequest(members={"received": NIK})
    assert SECRETS.scan([("problem", problem(echo))]) == [Finding("nik", NIK, "problem")]


@pytest.mark.parametrize(
    "body",
    [
        {"nik": NIK + "x"},
        {"nik": int(NIK)},
        {"nik": [NIK, NAME]},
        {"nik": NIK, NAME: 1},
        {NIK: {NAME: NIK}},
        {"nik": NIK, "fields": NAME},
        {"nik": NIK, "as_of": NAME},
    ],
)
def test_our_errors_repeat_nothing_that_was_sent(body):
    with pytest.raises(InvalidRequest) as refused:
        validate(IndividualLookup, body)
    assert SECRETS.scan([("problem", problem(refused.value))]) == []
