"""Campaigns: capped in `make test`, whole with `--campaign=full` (`make faults`); a table after."""

from dataclasses import asdict, dataclass, field
from typing import Any

import pytest


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    scenario: str
    promise: str
    observed: str
    count: int


@dataclass
class Campaign:
    """How far this run goes, and what it found."""

    full: bool
    findings: list[Finding] = field(default_factory=list)

    def size(self, *, capped: int, full: int) -> int:
        """How many cases this run takes."""
        return full if self.full else capped

    def tell(self, scenario: str, *, promise: str, observed: str, count: int) -> None:
        """Write a line of the table; told before it is judged, so that a failure is told too."""
        self.findings.append(Finding(scenario, promise, observed, count))


CAMPAIGN = pytest.StashKey[Campaign]()
FINDINGS = "findings"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--campaign",
        choices=("capped", "full"),
        default="capped",
        help="run fault and property campaigns capped (the default) or whole",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CAMPAIGN] = Campaign(full=config.getoption("--campaign") == "full")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever has its size from a campaign is one: `make faults` takes them by the mark."""
    for item in items:
        if "campaign" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.campaign)


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest) -> Campaign:
    return request.config.stash[CAMPAIGN]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its findings to the process that prints them."""
    if hasattr(session.config, "workeroutput"):
        findings = session.config.stash[CAMPAIGN].findings
        session.config.workeroutput[FINDINGS] = [asdict(one) for one in findings]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get(FINDINGS, [])
    node.config.stash[CAMPAIGN].findings.extend(Finding(**one) for one in told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    findings = config.stash[CAMPAIGN].findings
    if not findings:
        return
    extent = "whole" if config.stash[CAMPAIGN].full else "capped; whole with `make faults`"
    terminalreporter.section(f"campaigns ({extent})")
    for one in findings:
        terminalreporter.write_line(f"{one.scenario} ({one.count})")
        terminalreporter.write_line(f"    promise   {one.promise}")
        terminalreporter.write_line(f"    observed  {one.observed}")
