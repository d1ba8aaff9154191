"""The authorization server's face: its endpoints, its keys, its metadata."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from auth.endpoint import OAuthParts
from auth.inspecting import IntrospectionEndpoint, RevocationEndpoint
from auth.issuing import TokenEndpoint
from auth.jwks import public_jwks
from auth.metadata import ENDPOINTS, JWKS_PATH, METADATA_PATH, server_metadata
from auth.refusals import Refused, refusal, unavailable
from dtsen.errors import Unavailable
from dtsen.keys import PUBLISHED, KeyMissing

ALLOWED = dict.fromkeys(ENDPOINTS.values(), "POST") | {JWKS_PATH: "GET"}
CACHED = {"Cache-Control": "public, max-age=300"}


def oauth_router(parts: OAuthParts) -> APIRouter:
    """The routes of the authorization server, for the issuer's root."""
    router = APIRouter(include_in_schema=False)
    metadata = server_metadata(parts.issuer, parts.tls_origin)

    for kind in (TokenEndpoint, IntrospectionEndpoint, RevocationEndpoint):
        router.add_api_route(kind.path, kind(parts).answer, methods=["POST"])

    @router.get(JWKS_PATH)
    async def jwks() -> Response:
        """List the public keys of access tokens and of signed answers."""
        now = parts.clock.now()
        try:
            keys = [key for each in PUBLISHED for key in parts.keyring.published_keys(each, now)]
        except (KeyMissing, Unavailable):
            return refusal(unavailable())
        return JSONResponse(public_jwks(keys), headers=CACHED)

    @router.get(METADATA_PATH)
    async def authorization_server_metadata() -> Response:
        """Describe the authorization server (RFC 8414)."""
        return JSONResponse(metadata, headers=CACHED)

    router.routes.append(Route("/oauth/{rest:path}", NotHere(), include_in_schema=False))
    return router


class NotHere:
    """Whatever else is asked of `/oauth`: 405 with Allow where the path is known, else 404."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse."""
        allowed = ALLOWED.get(scope["path"])
        if allowed is None:
            response = refusal(Refused(404, "Nothing is at this path.", cause="not-found"))
        else:
            refused = Refused(405, f"This path serves {allowed} alone.", cause="method-not-allowed")
            response = refusal(refused)
            response.headers["Allow"] = allowed
        await response(scope, receive, send)
