"""What the server says of itself, and its public keys."""

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from auth.jwks import PRIVATE
from dtsen.keys import Keyring, Purpose
from schemas.scopes import SCOPE_NAMES
from tests.auth.make import ISSUER, Server


def test_metadata_says_what_is_there_and_nothing_else(server: Server) -> None:
    found = server.http.get("/.well-known/oauth-authorization-server")
    told = found.json()
    # Authlib takes an empty list, which RFC 8414 allows, for a missing one.
    AuthorizationServerMetadata({**told, "response_types_supported": ["code"]}).validate()
    assert found.headers["content-type"] == "application/json"
    assert told == {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/oauth/jwks",
        "scopes_supported": list(SCOPE_NAMES),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        **{
            f"{name}_endpoint{rest}": value
            for name, path in ENDPOINTS.items()
            for rest, value in {
                "": f"{ISSUER}/oauth/{path}",
                "_auth_methods_supported": ["private_key_jwt"],
                "_auth_signing_alg_values_supported": ALGORITHMS,
            }.items()
        },
        "dpop_signing_alg_values_supported": ALGORITHMS,
        "tls_client_certificate_bound_access_tokens": False,
    }


ENDPOINTS = {"token": "token", "introspection": "introspect", "revocation": "revoke"}
ALGORITHMS = ["ES256", "PS256", "Ed25519", "EdDSA"]


@pytest.mark.parametrize(
    "member", ["token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"]
)
def test_every_address_it_names_is_served(server: Server, member: str) -> None:
    told = server.http.get("/.well-known/oauth-authorization-server").json()
    path = told[member].removeprefix(ISSUER)
    assert server.http.request("OPTIONS", path).status_code == 405


def test_published_keys_are_public_and_whole(server: Server, keys: Keyring) -> None:
    published = server.http.get("/oauth/jwks").json()["keys"]
    assert len(published) == len(
        [*keys.versions(Purpose.TOKENS), *keys.versions(Purpose.SIGNATURES)]
    )
    for key in published:
        assert not PRIVATE & key.keys()
        kinds = {"tokens": ("EC", "P-256", "ES256"), "signatures": ("OKP", "Ed25519", "Ed25519")}
        assert (key["kty"], key["crv"], key["alg"]) == kinds[key["kid"].split("-")[0]]
        assert key["use"] == "sig"
        assert key["kid"]
