"""No variable and no row more than the agreement opens, over every representation."""

import ast
import itertools
from pathlib import Path

import pytest

from dtsen.disclosure import reading
from tests.differential import plants_own  # noqa: F401 - plants more
from tests.differential.house import Defect
from tests.differential.judge import Judge
from tests.differential.leak import Leak
from tests.differential.plants import PLANTS
from tests.differential.plants_proofs import OF_TRANSLATION

CASES = {"18": (600, 14_000), "15": (150, 8_000)}
"""How many answers about people each PostgreSQL is asked for, capped and whole."""
WHOLE = 20_000
TOTAL: dict[str, int] = {}
WORLDS_OF_A_SEARCH = 12
INDEPENDENT = ("evaluator.py", "scope.py", "registry.py", "worlds.py")
on_18 = pytest.mark.parametrize("differential", ["18"], indirect=True)


def test_the_wire_is_what_the_contract_demands(differential, campaign):
    capped, full = CASES[differential.server]
    awaited = campaign.size(capped=capped, full=full)
    judge = differential.judge = Judge(differential.house.issuer)
    for start in itertools.count():
        if judge.cases >= awaited:
            break
        differential.search(WORLDS_OF_A_SEARCH, start=start)
    campaign.tell(
        f"leak differential, PostgreSQL {differential.server}",
        promise="every answer and its record are what an independent evaluator decides",
        observed=f"no variable and no row too many in {judge.cells} cells",
        count=judge.cases,
    )
    campaign.tell(
        f"what an agency is told of itself, PostgreSQL {differential.server}",
        promise="its agreement, its API, its records and cursors are its own, and all of them",
        observed="nothing too many, nothing missing",
        count=judge.own,
    )
    campaign.tell(
        f"what an agency can prove, PostgreSQL {differential.server}",
        promise="its own records, byte for byte; of others and of nobody one and the same refusal",
        observed="each proof leads to the root of a signed checkpoint, and says nothing else",
        count=judge.proofs,
    )
    TOTAL[differential.server] = judge.cases
    campaign.tell(
        "leak differential, answers about people on both",
        promise=f"at least {WHOLE:,} in a whole campaign",
        observed=", ".join(f"{count} on PostgreSQL {one}" for one, count in TOTAL.items()),
        count=sum(TOTAL.values()),
    )
    assert sum(full for _, full in CASES.values()) >= WHOLE


@pytest.fixture(scope="module")
def many_worlds(differential):
    return differential.worlds(120, start=0)


@on_18
@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_leak_turns_it_red(differential, many_worlds, plant, monkeypatch):
    differential.judge = Judge(differential.house.issuer)
    PLANTS[plant](monkeypatch, differential.house.registry)
    with pytest.raises(Leak):
        differential.run_all(many_worlds)


@on_18
@pytest.mark.parametrize("plant", OF_TRANSLATION)
def test_a_leak_planted_in_translations_turns_it_red(differential, many_worlds, plant, monkeypatch):
    differential.judge = Judge(differential.house.issuer)
    OF_TRANSLATION[plant](monkeypatch, differential.house.registry)
    with pytest.raises(Leak):
        differential.run_all(differential.translating(many_worlds))


@on_18
def test_a_read_that_fails_is_told(differential, many_worlds, monkeypatch):
    def fail(*_):
        raise IndexError

    monkeypatch.setattr(reading.Packs, "arrange", fail)
    with pytest.raises(Defect, match="IndexError"):
        differential.run_all(many_worlds)


def test_the_evaluator_shares_no_code_with_what_it_judges():
    for name in INDEPENDENT:
        tree = ast.parse((Path(__file__).parent / name).read_text())
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        ours = {"api", "auth", "cli", "deploy", "dtsen"}
        assert not {module.partition(".")[0] for module in modules} & ours, name
