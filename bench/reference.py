"""`make bench-reference`: keep the last results as the reference, and tell them in the docs."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results import FOLDER

REFERENCE = FOLDER / "reference"
PAGE = Path(__file__).parents[1] / "docs" / "operators" / "benchmarks.md"
BEGIN, END = "<!-- reference figures begin -->\n", "<!-- reference figures end -->\n"

Document = Mapping[str, Any]


def keep() -> list[str]:
    """Copy every result and its drawing, and write the page's figures; the names of what was kept.

    Raises:
        SystemExit: nothing was measured yet.
    """
    found = sorted(FOLDER.glob("*.json"))
    if not found:
        raise SystemExit("no results to keep: run `make bench` first")
    REFERENCE.mkdir(exist_ok=True)
    for result in found:
        for file in (result, result.with_suffix(".svg")):
            shutil.copyfile(file, REFERENCE / file.name)
    PAGE.write_text(written(PAGE.read_text(), documents()))
    return [result.name for result in found]


def documents() -> list[Document]:
    """The reference results, by name."""
    return [json.loads(file.read_text()) for file in sorted(REFERENCE.glob("*.json"))]


def written(page: str, results: Sequence[Document]) -> str:
    """A page with these results' figures between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{''.join(map(_figures, results))}{END}{after}"


def _figures(result: Document) -> str:
    machine = result["machine"]
    load = machine["load_average"][0]
    head = (
        f"**{result['benchmark']}**, {result['taken_at'][:10]}: {machine['processors']} x"
        f" {machine['processor']}, {machine['memory_gigabytes']} GB, Python {machine['python']},"
        f" PostgreSQL {machine['postgresql']}, commit {machine['commit']}, load {load} at the end."
    )
    if not result["ratios"]:
        rows = [f"| {name} | {value} |" for name, value in result["facts"].items()]
        return "\n".join([head, "", "| figure | |", "| --- | ---: |", *rows, "", ""])
    lines = [
        head,
        "",
        "| ratio | median | least | most | goal |",
        "| --- | --- | --- | --- | --- |",
        *map(_row, result["ratios"]),
    ]
    facts = [f"{name}: {value}." for name, value in result["facts"].items()]
    return "\n".join([*lines, "", *facts, *([""] if facts else []), ""])


def _row(ratio: Document) -> str:
    goal = ""
    if ratio["goal"] is not None:
        verdict = "met" if ratio["met"] else "missed"
        goal = f"{'at most' if ratio['at_most'] else 'at least'} {ratio['goal']}: {verdict}"
    figures = " | ".join(f"{ratio[name]:.3f}" for name in ("median", "min", "max"))
    return f"| {ratio['name']} | {figures} | {goal} |"


if __name__ == "__main__":
    print("kept:", *keep())
