"""The authorization server's parts, made from a worker's."""

from api.parts import Parts
from auth.clients import USED
from auth.endpoint import OAuthParts
from auth.inspecting import RevocationEndpoint
from auth.issuing import TokenEndpoint
from auth.limits import TokenLimits
from auth.server import Decision
from dtsen.disclosure.grants import AgreementGrants
from dtsen.disclosure.mandate import AccessToken

STATUS_OF = {"invalid_client": 401, "rate-limited": 429, "unavailable": 503}
"""HTTP status of refusals at `/oauth`, as the access log counts them; 400 for the others."""


USE_SECONDS = 3_600
"""How exactly a client's last use is kept."""


def authorization_parts(parts: Parts) -> OAuthParts:
    """What the token endpoint needs; its refusals are counted, its tokens recorded."""
    grants = AgreementGrants(parts.authority, parts.clock)
    used: dict[str, float] = {}

    async def note_use(client_id: str) -> None:
        now = parts.clock.monotonic()
        if now - used.get(client_id, -USE_SECONDS) >= USE_SECONDS:
            used[client_id] = now
            await parts.pool.execute(USED, client_id)

    async def on_refusal(operation: str, who: str, cause: str) -> None:
        known = parts.authority.agency_of(who) is not None
        client, address = (who, None) if known else (None, who)
        status = STATUS_OF.get(cause, 400)
        parts.telemetry.answered(operation, status, None)
        parts.telemetry.refused(cause)
        parts.tally.count(cause, status, client=client, address=address)

    async def on_issue(decision: Decision) -> None:
        client = parts.authority.current.clients.get(decision.client_id)
        await parts.notes.write(
            "login",
            TokenEndpoint.operation,
            "issued",
            status=200,
            client=decision.client_id,
            agency=client.agency if client else None,
            clear={"scope": decision.scope},
            personal={"auth": {"method": decision.auth_method, "jti": decision.jti}},
        )
        parts.telemetry.answered(TokenEndpoint.operation, 200, None)
        await note_use(decision.client_id)

    async def on_revoke(token: AccessToken) -> None:
        client = parts.authority.current.clients.get(token.client_id)
        await parts.notes.write(
            "login",
            RevocationEndpoint.operation,
            "revoked",
            status=200,
            client=token.client_id,
            agency=client.agency if client else None,
            personal={"auth": token.shown_as},
        )
        parts.telemetry.answered(RevocationEndpoint.operation, 200, None)

    return OAuthParts(
        pool=parts.pool,
        keyring=parts.keyring,
        clock=parts.clock,
        issuer=parts.settings.issuer,
        profile=parts.settings.profile,
        grants=grants,
        limits=TokenLimits(parts.limiter),
        on_refusal=on_refusal,
        on_issue=on_issue,
        on_revoke=on_revoke,
        nonces=parts.settings.dpop_nonces,
        tls_origin=parts.settings.tls_origin,
    )
