"""One sandbox behind nginx, as `make run-tls` starts it, for all tests of TLS."""

from collections.abc import Iterator

import pytest

from tests.packages import program
from tests.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def behind_tls() -> Iterator[Sandbox]:
    program("nginx", "nginx-light")
    with running_sandbox(tls=True) as one:
        yield one


@pytest.fixture
def bus(behind_tls: Sandbox):
    """The client that shows a certificate."""
    return behind_tls.client("demo-bus")


@pytest.fixture
def origin(bus):
    return bus["token_endpoint"].removesuffix("/oauth/token")
