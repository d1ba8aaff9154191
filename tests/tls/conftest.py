"""What tests of TLS use of the sandbox behind nginx."""

import pytest

from tests.sandbox import Sandbox


@pytest.fixture
def bus(behind_tls: Sandbox):
    """The client that shows a certificate."""
    return behind_tls.client("demo-bus")


@pytest.fixture
def origin(bus):
    return bus["token_endpoint"].removesuffix("/oauth/token")
