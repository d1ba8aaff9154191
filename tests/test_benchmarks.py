"""The figures in the docs are those of the reference that is committed."""

import json

from bench.reference import BEGIN, END, PAGE, documents, written

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
