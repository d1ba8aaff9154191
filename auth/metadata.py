"""What the authorization server says of itself (RFC 8414)."""

from typing import Any

from auth.authentication import AUTH_METHODS, GRANT_TYPE, PRIVATE_KEY_JWT
from auth.inspecting import INTROSPECTION_PATH, REVOCATION_PATH
from auth.jwks import ALGORITHMS
from auth.server import TOKEN_PATH
from schemas.scopes import SCOPE_NAMES

JWKS_PATH = "/oauth/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"
ENDPOINTS = {
    "token_endpoint": TOKEN_PATH,
    "introspection_endpoint": INTROSPECTION_PATH,
    "revocation_endpoint": REVOCATION_PATH,
}
"""Endpoints at which clients authenticate, by their name in the metadata."""


def server_metadata(issuer: str, tls_origin: str | None = None) -> dict[str, Any]:
    """What this server offers, and nothing that it does not.

    `tls_origin` is where a client can show its certificate; without one, none can.
    """
    methods = list(AUTH_METHODS if tls_origin else (PRIVATE_KEY_JWT,))
    told: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": list(SCOPE_NAMES),
        "response_types_supported": [],
        "grant_types_supported": [GRANT_TYPE],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": tls_origin is not None,
    }
    for name, path in ENDPOINTS.items():
        told[name] = issuer + path
        told[f"{name}_auth_methods_supported"] = methods
        told[f"{name}_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    if tls_origin is not None:
        told["mtls_endpoint_aliases"] = {
            name: tls_origin + path for name, path in ENDPOINTS.items()
        }
    return told
