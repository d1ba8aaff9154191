"""What a proxy counted, held against records: each kind of difference, in its minute."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from dtsen.verifier.counted import compare, read_counted, span

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 26, 3, 0, 10, tzinfo=UTC)
LOOKUP = "/v1/individuals/lookup"


def record(number):
    """The id of a record whose call began that many seconds after the start."""
    return UUID(int=int((START.timestamp() + number) * 1000) << 80 | 0x7 << 76 | number)


def line(number, named="-", status=200, route=LOOKUP):
    return f"{START.timestamp() + number:.3f} {status} POST {route} {named}\n"


def at(number):
    return START + timedelta(seconds=number)


def told(lines, numbers):
    compared = compare(read_counted(lines), {record(one): at(one) for one in numbers})
    return compared, {
        f"{minute:%M}": (one.answers, one.records, one.without_record, one.without_answer)
        for minute, one in compared.minutes.items()
    }


LINES = [line(number, record(number)) for number in range(0, 200, 10)]


def test_both_sides_agree():
    compared, minutes = told(LINES, range(0, 200, 10))
    assert (compared.missing, compared.unanswered, compared.bare) == ([], [], 0)
    assert minutes == {
        "00": (5, 5, 0, 0),
        "01": (6, 6, 0, 0),
        "02": (6, 6, 0, 0),
        "03": (3, 3, 0, 0),
    }


def test_an_answer_whose_record_is_not_in_the_log_is_named():
    compared, minutes = told(LINES, [one for one in range(0, 200, 10) if one != 60])
    assert compared.missing == [record(60)]
    assert minutes["01"] == (6, 5, 1, 0)


def test_a_record_whose_answer_never_came_is_named_once_it_must_have():
    compared, minutes = told(LINES, [*range(0, 200, 10), 33, 155])
    assert compared.unanswered == [record(33)]  # the other's answer may still be under way
    assert minutes["00"] == (5, 6, 0, 1)


@pytest.mark.parametrize(
    ("status", "route", "had_to"),
    [
        *[(status, LOOKUP, True) for status in (200, 304, 403, 404, 422)],
        *[(status, LOOKUP, False) for status in (400, 401, 405, 413, 429, 499, 500, 503)],
        (404, "/dtks/v1/art/cari", True),
        (200, "/oauth/token", False),
        (404, "-", False),
        (200, "/log/{year}/tile/entries", True),
        (404, "/log/{year}/tile/entries", False),
    ],
)
def test_which_answers_must_name_a_record(status, route, had_to):
    compared, minutes = told([line(70, status=status, route=route)], [])
    assert compared.bare == had_to
    assert minutes == ({"01": (1, 0, 1, 0)} if had_to else {})


def test_records_are_looked_for_from_when_the_oldest_call_began():
    since, until = span(read_counted([line(90, record(20)), line(80, record(70))]))
    assert (since, until) == (at(15), at(95))


@pytest.mark.parametrize(("made_up", "began"), [(0, 90 - 3600), (2**128 - 1, 90)])
def test_an_id_that_was_made_up_widens_the_search_little(made_up, began):
    since, _ = span(read_counted([line(90, UUID(int=made_up))]))
    assert since == at(began - 5)


@pytest.mark.parametrize(
    "text", ['127.0.0.1 - - "GET /"', "1.000 200 GET /v1 x", "", "1764126000 200 GET / -"]
)
def test_what_another_configuration_wrote_is_refused(text):
    with pytest.raises(ValueError, match="line 1"):
        read_counted([text])


def test_nothing_counted_is_no_agreement():
    with pytest.raises(ValueError, match="nothing"):
        read_counted([])


def test_the_configuration_knows_each_path_and_writes_no_other():
    text, _, _ = (ROOT / "deploy/nginx/dtsen.conf").read_text().partition("map $request_method")
    rules = re.findall(r'^ +"~(\^/\S+)" (\S+);$', text, re.MULTILINE)

    def route(path):
        found = next((one for pattern, one in rules if re.search(pattern, path)), "-")
        return path if found == "$uri" else found.strip('"')

    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    recorded = [one for one in paths if one.startswith(("/v1/", "/dtks/"))]
    assert len(recorded) >= 19
    for path in recorded:
        assert route(path.replace("{id}", "3374990000000001")) == path
    for path in ("/v1/budi", "/v1/individuals/budi/santoso", "/3374990000000001", "/v1/wilayah/33"):
        assert route(path) == "-"
