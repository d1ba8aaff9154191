"""The form of token requests, and what meets one before anybody is authenticated."""

import pytest

from auth.limits import AgencyLimiter, TokenLimits
from dtsen.database import DatabaseUrls
from dtsen.keys import Keyring
from tests.auth.make import (
    FORM,
    ROOMY,
    Client,
    Server,
    assertion,
    form,
    refused,
    register,
    serving,
)


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "implicit"])
def test_no_other_grant_is_served(server: Server, database: DatabaseUrls, grant: str) -> None:
    client = register(database)
    fields = {**form(assertion(client)), "grant_type": grant, "username": "a", "password": "b"}
    assert refused(server.http.post("/oauth/token", data=fields), "unsupported_grant_type")


def test_a_request_without_an_assertion_is_refused(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    assert refused(server.ask(None), "invalid_client")
    assert refused(server.ask(None, client_id=client.client_id), "invalid_client")
    untyped = {**form(assertion(client)), "client_assertion_type": "urn:example:other"}
    assert refused(server.http.post("/oauth/token", data=untyped), "invalid_client")


def test_a_second_way_to_authenticate_is_refused(server: Server, database: DatabaseUrls) -> None:
    client = register(database)
    with_secret = server.ask(assertion(client), client_secret="s")  # noqa: S106 - refused
    assert refused(with_secret, "invalid_request")
    basic = server.http.post("/oauth/token", data=form(assertion(client)), auth=("a", "b"))
    assert refused(basic, "invalid_client", 401)
    assert basic.headers["www-authenticate"].startswith("Basic ")


def test_requests_of_another_shape_are_refused_as_rfc_6749_says(server: Server) -> None:
    http = server.http
    assert refused(http.post("/oauth/token?scope=a", data=form("a.b.c")), "invalid_request")
    twice = "grant_type=client_credentials&scope=audit%3Aread&scope=audit%3Aread"
    assert refused(http.post("/oauth/token", content=twice, headers=FORM), "invalid_request")
    assert refused(http.post("/oauth/token", content="", headers=FORM), "invalid_request")
    assert refused(http.post("/oauth/token", json=form("a.b.c")), "invalid_request", 415)
    assert refused(http.post("/oauth/token", content=b"a=b"), "invalid_request", 415)
    coded = {**FORM, "Content-Encoding": "gzip"}
    assert refused(http.post("/oauth/token", content=b"a=b", headers=coded), "invalid_request", 415)
    large = http.post("/oauth/token", data=form("a" * 20_000))
    assert refused(large, "invalid_request", 413)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND"])
def test_another_method_is_405_with_allow(server: Server, method: str) -> None:
    answer = server.http.request(method, "/oauth/token")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["cache-control"] == "no-store"
    if method != "HEAD":
        assert refused(answer, "invalid_request", 405)


def test_an_unknown_path_under_oauth_is_404_in_the_same_form(server: Server) -> None:
    assert refused(server.http.post("/oauth/authorize"), "invalid_request", 404)
    assert refused(server.http.post("/oauth/jwks"), "invalid_request", 405)


def test_an_address_is_limited_before_anybody_is_authenticated(
    database: DatabaseUrls, keys: Keyring
) -> None:
    limits = TokenLimits(AgencyLimiter(), per_address="3/minute", per_client=ROOMY)
    with serving(database.api, keys, limits=limits) as server:
        client = register(database)
        for _ in range(3):
            assert refused(server.ask("garbage"), "invalid_client")
        answer = server.ask(assertion(client))
        assert refused(answer, "temporarily_unavailable", 429)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert server.refusals[-1] == ("127.0.0.1", "rate-limited")


def test_a_client_is_limited_by_the_name_it_claims(database: DatabaseUrls, keys: Keyring) -> None:
    limits = TokenLimits(AgencyLimiter(), per_address=ROOMY, per_client="2/minute")
    with serving(database.api, keys, limits=limits) as server:
        busy, other = register(database), register(database)
        forged = Client(busy.client_id, other.key)
        for _ in range(2):
            assert refused(server.ask(assertion(forged)), "invalid_client")
        assert refused(server.ask(assertion(busy)), "temporarily_unavailable", 429)
        assert server.ask(assertion(other)).status_code == 200
