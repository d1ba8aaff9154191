"""The figures in the docs are those of the reference that is committed."""

import json
import re

from bench import results
from bench.reference import BEGIN, END, PAGE, documents, written
from bench.rounds import Measured, Ratio

RESULT = {
    "benchmark": "lookup",
    "taken_at": "2026-11-26T12:00:00+00:00",
    "machine": {
        "processor": "A processor",
        "processors": 2,
        "memory_gigabytes": 8,
        "load_average": [0.5, 0.4, 0.3],
        "python": "3.11.7",
        "postgresql": "18",
        "commit": "abcdef0",
    },
    "ratios": [
        {"name": "a / b", "median": 0.36, "min": 0.3, "max": 0.4, "goal": 0.35, "at_most": False}
        | {"met": True},
        {"name": "c / d", "median": 0.3, "min": 0.3, "max": 0.3, "goal": 0.2, "at_most": True}
        | {"met": False},
        {"name": "e / f", "median": 1.0, "min": 1.0, "max": 1.0, "goal": None, "at_most": False}
        | {"met": None},
    ],
    "facts": {"transactions": 0.1},
}


def test_the_page_tells_the_committed_reference():
    page = PAGE.read_text()
    assert page == written(page, documents())


def test_a_result_without_ratios_is_a_table_of_its_figures():
    told = written(f"{BEGIN}{END}", [RESULT | {"ratios": [], "facts": {"burst (µs)": 4.2}}])
    assert "| burst (µs) | 4.2 |" in told
    assert "median" not in told


def test_figures_are_written_between_the_marks_and_written_again():
    page = f"before\n{BEGIN}old\n{END}after\n"
    told = written(page, [json.loads(json.dumps(RESULT))])
    assert told.startswith("before\n")
    assert told.endswith("after\n")
    assert "old" not in told
    assert "| a / b | 0.360 | 0.300 | 0.400 | at least 0.35: met |" in told
    assert "| c / d | 0.300 | 0.300 | 0.300 | at most 0.2: missed |" in told
    assert "| e / f | 1.000 | 1.000 | 1.000 |  |" in told
    assert written(told, [RESULT]) == told


LOOKS_LIKE_A_NUMBER_OF_SOMEBODY = re.compile("[0-9]{15}")


def test_figures_are_published_to_six_digits_wherever_they_stand(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    third = 1 / 3
    series = {"one": [Measured(third, third, third, {"server": third})], "two": [Measured(1.0)]}
    ratio = Ratio("ratio", "one", "two", (third, 2 * third))
    results.publish(results.Result("drawn", "", {"p": third}, series, [ratio], {"f": [third]}))
    written_down = (tmp_path / "drawn.json").read_text()
    assert "0.333333" in written_down
    assert LOOKS_LIKE_A_NUMBER_OF_SOMEBODY.search(written_down) is None


def test_no_committed_figure_looks_like_somebody_s_number():
    assert documents()
    for document in documents():
        assert LOOKS_LIKE_A_NUMBER_OF_SOMEBODY.search(json.dumps(document)) is None
