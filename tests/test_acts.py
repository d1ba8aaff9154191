"""`docs/auditors/acts.md` names every command, every call, and every kind of record there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.main import app

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "auditors" / "acts.md").read_text()
FORMAT = (ROOT / "docs" / "auditors" / "record-format.md").read_text()
CODED = re.compile(r"`([^`]+)`")
PLACE_OF_OP = {"recorded": 2, "Deed": 0, "Operation": 0, "write": 1}
"""Calls that name an operation, and which argument of theirs does."""


def table(heading: str) -> dict[str, list[str]]:
    """The rows of a section's table: the first cell's word, and the words of the second."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    found = {CODED.findall(row[1])[0]: CODED.findall(row[2]) for row in rows}
    assert len(found) == len(rows), f"a line stands twice under {heading}"
    return found


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    below = getattr(group, "commands", None)
    if below is None:
        yield " ".join(path)
        return
    for name in list(below):
        yield from commands(below[name], (*path, name))


def modules() -> Iterator[ast.Module]:
    for package in ("api", "auth", "cli", "dtsen"):
        for file in (ROOT / package).rglob("*.py"):
            yield ast.parse(file.read_text())


def constants(module: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def named(call: ast.Call) -> str:
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def word(node: ast.expr, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return known.get(node.id) if isinstance(node, ast.Name) else None


def written() -> tuple[dict[str, str | None], set[str]]:
    """Operations that the code names, each with its kind where named; those of endpoints."""
    found: dict[str, str | None] = {}
    endpoints: set[str] = set()
    for module in modules():
        known = constants(module)
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                endpoints |= {
                    one.value.value
                    for one in node.body
                    if isinstance(one, ast.Assign)
                    and getattr(one.targets[0], "id", "") == "operation"
                    and isinstance(one.value, ast.Constant)
                }
            if not isinstance(node, ast.Call) or named(node) not in PLACE_OF_OP:
                continue
            place = PLACE_OF_OP[named(node)]
            if named(node) == "write" and len(node.args) < 3:
                continue  # of a file, not of notes
            op = word(node.args[place], known) if len(node.args) > place else None
            if op is not None:
                kind = word(node.args[2], known) if named(node) == "Operation" else None
                found[op] = found.get(op) or kind
    return found, endpoints


@pytest.fixture(scope="module")
def code():
    return written()


def test_every_command_says_what_is_recorded_of_it():
    assert table("Commands").keys() == set(commands(typer.main.get_command(app)))


def test_every_command_without_a_record_says_why():
    section = PAGE.partition("## Commands\n")[2].partition("\n## ")[0]
    silent = [
        line for line in section.splitlines() if re.fullmatch(r"\| `[^|]+ \|\s*\|\s*\|", line)
    ]
    assert not silent


def test_every_call_is_listed_with_its_kind(code):
    found, _ = code
    kinds = {op: [kind] for op, kind in found.items() if kind is not None}
    listed = {op: kind for op, kind in table("Calls").items() if not op.startswith("oauth.")}
    assert listed == kinds


def test_every_operation_that_the_code_records_is_listed_and_no_other(code):
    found, endpoints = code
    listed = {op for ops in table("Commands").values() for op in ops} | table("Calls").keys()
    listed |= {op for op in ("act.propose", "act.approve", "*") if f"`{op}`" in PAGE}
    assert listed >= found.keys(), found.keys() - listed
    assert found.keys() | endpoints >= listed, listed - found.keys()


def test_every_kind_is_in_the_record_format(code):
    (line,) = [line for line in FORMAT.splitlines() if line.startswith("| `typ` ")]
    found, _ = code
    assert {kind for kind in found.values() if kind} <= set(CODED.findall(line))
