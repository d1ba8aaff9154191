"""Which tests share a worker when several run (`make test` runs two), and what starts first.

Tests that use a costly fixture go to one worker, so that it is made once; all others stay with
their file. Run by one process alone, the tests know nothing of this.

pytest-xdist 3.8 has such groups (`--dist loadgroup`), but tells their names in node ids, which it
can no longer write in pytest 9.2. So a worker writes them into a file beside its temporary folder.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

COSTLY = (
    "scene",
    "ledger",
    "sandbox",
    "population",
    "differential",
    "behind_tls",
    "go_judge",
    "registry18",
    "registry15",
    "postgres18",
    "postgres",
)
"""Fixtures of a session or a package, the longest work first: what is long must not come last."""
FOLDER = "groups"


def place(item: pytest.Item) -> tuple[int, str]:
    """The rank of an item's group, and its name."""
    fixtures = getattr(item, "fixturenames", ())
    for rank, name in enumerate(COSTLY):
        if name in fixtures:
            parameters = item.callspec.params if hasattr(item, "callspec") else {}
            given = parameters.get(name, "")
            return rank, f"{name} {getattr(given, '__name__', given)}"
    return len(COSTLY), str(item.path)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """In a worker: order the groups, and tell them."""
    yield
    if hasattr(config, "workerinput"):
        places = {item: place(item) for item in items}
        items.sort(key=lambda item: places[item][0])
        told = {item.nodeid: name for item, (_, name) in places.items()}
        folder, worker = config.workerinput[FOLDER], config.workerinput["workerid"]
        Path(folder, f"{worker}.json").write_text(json.dumps(told))


class ByFixture(LoadScopeScheduling):
    """Gives whole groups to workers, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._groups: dict[str, str] = {}

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        told = Path(node.workerinput[FOLDER], f"{node.gateway.id}.json")
        self._groups |= json.loads(told.read_text())
        super().add_node_collection(node, collection)

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFixture:
    return ByFixture(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the controller: where a worker tells its groups."""
    folder = node.config._tmp_path_factory.getbasetemp() / FOLDER
    folder.mkdir(exist_ok=True)
    node.workerinput[FOLDER] = str(folder)
