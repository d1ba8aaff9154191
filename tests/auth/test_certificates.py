"""A certificate authenticates its client while it is valid, whatever the token is bound to."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from authlib.oauth2.rfc6749.errors import InvalidClientError

from auth.adapter import OAuthRequest
from auth.authentication import SELF_SIGNED_TLS, Requester, authenticate
from auth.certificates import Certificate, as_jwk, read_pem, registered
from auth.clients import KnownClient
from cli.certificates import self_signed
from dtsen.disclosure.grants import Demand

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
OWN = Certificate(b"own", NOW - DAY, NOW + DAY)


def ask(certificate: Certificate, now: datetime = NOW) -> None:
    client = KnownClient("bus", "dpop", (), SELF_SIGNED_TLS, frozenset({b"own"}))
    form = {"grant_type": "client_credentials", "client_id": "bus"}
    request = OAuthRequest("https://x/oauth/token", form, None, certificate=certificate)
    assert authenticate("https://x", request, Requester(client, None, Demand("dpop")), now) is None


def test_its_own_does():
    ask(OWN)


@pytest.mark.parametrize("now", [NOW - 2 * DAY, OWN.ends, NOW + 2 * DAY])
def test_one_that_is_not_valid_now_does_not(now):
    with pytest.raises(InvalidClientError):
        ask(OWN, now)


def test_anothers_does_not():
    with pytest.raises(InvalidClientError):
        ask(OWN._replace(digest=b"another"))


def test_its_end_is_kept_with_it():
    pem = self_signed("bus").certificate.encode()
    kept = as_jwk(pem)
    assert datetime.fromtimestamp(cast("int", kept["exp"]), UTC) == read_pem(pem).ends
    assert registered({"keys": [kept]}) == {read_pem(pem).digest}
