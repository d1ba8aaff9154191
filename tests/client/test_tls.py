"""The client through a real nginx: by certificate, to trusted servers alone, with nonces."""

import time

import httpx2
import pytest

from cli.certificates import self_signed
from dtsen.client import Patience, Person, TokenRefused, Unreachable, opened
from dtsen.client.agency import Agency
from dtsen.client.receipts import nowhere
from dtsen.client.session import Session
from dtsen.releases.synth import EXAMPLE_NIKS

NIK = EXAMPLE_NIKS[0]


@pytest.fixture
def bus(behind_tls):
    return behind_tls.client("demo-bus")


def test_a_client_known_by_its_certificate(behind_tls, bus, tmp_path):
    file = behind_tls.home / "demo" / "clients" / "demo-bus.json"
    with opened(file, receipts=tmp_path / "receipts") as one:
        assert isinstance(one.look_up(NIK), Person)
        assert one.ask("GET", "/v1/releases/current")["active"]
    assert len((tmp_path / "receipts").read_text().splitlines()) == 2
    with (
        opened({**bus, **self_signed("demo-bus")._asdict()}) as stranger,
        pytest.raises(TokenRefused, match="invalid_client"),
    ):
        stranger.look_up(NIK)


def test_an_authority_may_be_given_and_no_other_is_believed(bus, tmp_path):
    bare = {name: value for name, value in bus.items() if name != "ca_file"}
    with opened(bare, authorities=bus["ca_file"]) as one:
        assert one.ask("GET", "/v1/releases/current")
    another = tmp_path / "another.pem"
    another.write_text(self_signed("localhost").certificate)
    for told in ({}, {"authorities": another}):
        with opened(bare, **told, patience=Patience(tries=9)) as one:
            began = time.monotonic()
            with pytest.raises(Unreachable, match="not one to trust"):
                one.look_up(NIK)
            assert time.monotonic() - began < 5, "another try cannot help"
    with pytest.raises(OSError, match="No such file"):
        opened(bare, authorities=tmp_path / "nothing.pem")


def test_a_nonce_costs_one_request_and_is_used_from_then_on(behind_tls):
    client = behind_tls.client("demo-ministry")
    sent = []
    hooks = {"request": [lambda request: sent.append(request.url.path)]}
    with httpx2.Client(base_url=client["issuer"], event_hooks=hooks) as http:
        one = Agency(Session(client, http, patience=Patience(), keep=nowhere), {})
        for _ in range(3):
            assert one.ask("GET", "/v1/releases/current")["active"]
    assert sent.count("/oauth/token") == 2
    assert sent.count("/v1/releases/current") == 4


def test_where_tokens_are_had_is_found_if_the_file_does_not_say_it(behind_tls, bus):
    for file in (bus, behind_tls.client("demo-ministry")):
        bare = {name: value for name, value in file.items() if name != "token_endpoint"}
        with opened(bare) as one:
            assert isinstance(one.look_up(NIK), Person)
