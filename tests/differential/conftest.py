"""A house for each PostgreSQL; the differential over it."""

from collections.abc import Iterator

import pytest

from tests.differential.campaign import Differential
from tests.differential.house import open_house
from tests.postgres import embedded_18, open_folder, packaged_15

SERVERS = {"18": embedded_18, "15": packaged_15}


@pytest.fixture(scope="package", params=list(SERVERS))
def differential(request: pytest.FixtureRequest) -> Iterator[Differential]:
    """The product over a small registry, with what both agencies learned of it."""
    with (
        open_folder() as folder,
        SERVERS[request.param](folder) as urls,
        open_house(urls, folder / "home") as house,
    ):
        yield Differential(house, request.param)
