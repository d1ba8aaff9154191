"""Clients known by their certificate, and tokens bound to one: RFC 8705 through a real nginx."""

import ssl
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import quote

import httpx2
import pytest

from cli.certificates import self_signed
from dtsen.client.connection import connected
from dtsen.client.showing import call
from dtsen.client.tokens import authenticated, fetch_token

LOOKUP = "/v1/individuals/lookup"
HEADER = "X-Client-Certificate"


@contextmanager
def bare(origin, bus):
    """A connection that shows no certificate."""
    context = ssl.create_default_context(cafile=bus["ca_file"])
    with httpx2.Client(base_url=origin, verify=context, timeout=30) as http:
        yield http


@contextmanager
def stranger(bus):
    """A connection that shows another certificate than the client's."""
    with connected({**bus, **self_signed("demo-bus")._asdict()}, timeout=30) as http:
        yield http


def ask(http, bus, **headers):
    form = authenticated(bus, grant_type="client_credentials")
    return http.post("/oauth/token", data=form, headers=headers)


def look(http, token, **headers):
    headers |= {"Authorization": f"Bearer {token}"}
    return http.get("/v1/releases/current", headers=headers)


def spoofed(bus):
    return {HEADER: quote(bus["certificate"], safe="")}


def test_every_sample_of_the_client_answers_as_it_says(behind_tls):
    calls = [one for one in behind_tls.samples["calls"] if one["client_id"] == "demo-bus"]
    assert calls
    for one in calls:
        answer = behind_tls.call(one["method"], one["path"], one["body"], as_client="demo-bus")
        assert answer.status_code == one["expect"]["status"], answer.text


def test_the_token_is_bound_to_the_certificate(bus):
    with connected(bus, timeout=30) as http:
        body = ask(http, bus).json()
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
        form = authenticated(bus, token=body["access_token"])
        told = http.post("/oauth/introspect", data=form).json()
        assert set(told["cnf"]) == {"x5t#S256"}
        assert look(http, body["access_token"]).status_code == 200
        assert http.post("/oauth/revoke", data=form).status_code == 200
        assert look(http, body["access_token"]).status_code == 401


def test_without_its_certificate_it_is_nobody(behind_tls, bus, origin):
    with bare(origin, bus) as http, stranger(bus) as other:
        for asked in (http, other, behind_tls.http):
            for headers in ({}, spoofed(bus)):
                answer = ask(asked, bus, **headers)
                assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_its_token_is_of_no_use_without_its_certificate(behind_tls, bus, origin):
    token = behind_tls.token("demo-bus")
    underscored = {HEADER.replace("-", "_"): spoofed(bus)[HEADER]}
    with bare(origin, bus) as http, stranger(bus) as other:
        for asked in (http, other, behind_tls.http):
            for headers in ({}, spoofed(bus), underscored):
                answer = look(asked, token, **headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    with connected(bus, timeout=30) as http:
        assert look(http, token).status_code == 200
        assert look(http, token, **{HEADER: "nonsense"}).status_code == 200


def test_an_assertion_beside_a_certificate_is_not_mixed_up(behind_tls, bus):
    ministry = behind_tls.client("demo-ministry")
    with connected(bus, timeout=30) as http:
        form = authenticated(ministry, grant_type="client_credentials", client_id="demo-bus")
        assert http.post("/oauth/token", data=form).json()["error"] == "invalid_client"
        form = {"grant_type": "client_credentials", "client_id": "demo-ministry"}
        assert http.post("/oauth/token", data=form).json()["error"] == "invalid_client"


def test_a_proof_is_held_against_the_issuer_alone(behind_tls, bus, origin):
    """nginx changes scheme, host and port; the issuer stays what it is."""
    ministry = behind_tls.client("demo-ministry")
    with bare(origin, bus) as http:
        token = fetch_token({**ministry, "token_endpoint": f"{origin}/oauth/token"}, http=http)
        assert call(ministry, token, "GET", "/v1/releases", http=http).status_code == 200
        mistaken = {**ministry, "issuer": origin}
        assert call(mistaken, token, "GET", "/v1/releases", http=http).status_code == 401


def test_metadata_names_the_aliases(behind_tls, bus, origin):
    path = "/.well-known/oauth-authorization-server"
    with connected(bus, timeout=30) as http:
        told = http.get(path).json()
        assert told == behind_tls.http.get(path).json()
        assert told["issuer"] == bus["issuer"]
        assert told["tls_client_certificate_bound_access_tokens"] is True
        aliases = told["mtls_endpoint_aliases"]
        assert set(aliases) == {
            f"{name}_endpoint" for name in ("token", "introspection", "revocation")
        }
        for name, url in aliases.items():
            assert url.startswith(f"{origin}/oauth/")
            assert http.post(url).status_code == 415
            methods = ["private_key_jwt", "self_signed_tls_client_auth"]
            assert told[f"{name}_auth_methods_supported"] == methods


@pytest.mark.parametrize("command", [["token"], ["curl"]])
def test_the_command_line_shows_the_certificate(behind_tls, command):
    file = behind_tls.home / "demo" / "clients" / "demo-bus.json"
    more = ["GET", "/v1/releases/current"] if command == ["curl"] else []
    line = [sys.executable, "-m", "cli.main", *command, str(file), *more]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("HTTP/1.1 200" if more else "ey")


def test_a_record_names_the_clients_address_and_not_the_fronts(behind_tls, bus):
    with connected(bus, timeout=30) as http:
        answer = look(http, behind_tls.token("demo-bus"), **{"X-Real-IP": "203.0.113.9"})
        record_id = answer.headers["dtsen-access-record"][1:37]
    told = behind_tls.call("GET", f"/v1/audit/records/{record_id}", as_client="demo-auditor")
    assert told.json()["src_ip"] == "127.0.0.1"
    assert told.json()["auth"]["method"] == "mtls"
