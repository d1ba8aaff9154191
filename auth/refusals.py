"""Refusals of the authorization server, in the form of RFC 6749 5.2."""

from authlib.oauth2 import OAuth2Error
from fastapi.responses import JSONResponse


class Refused(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """A refusal with an HTTP status of its own; `cause` is its name in the access log."""

    def __init__(
        self, status: int, description: str, *, cause: str, retry_after: int | None = None
    ) -> None:
        error = "invalid_request" if retry_after is None else "temporarily_unavailable"
        super().__init__(description, status_code=status, error=error)
        self.cause = cause
        self.retry_after = retry_after

    def get_headers(self) -> list[tuple[str, str]]:
        """With Retry-After where a later try can succeed."""
        headers: list[tuple[str, str]] = super().get_headers()
        if self.retry_after is None:
            return headers
        return [*headers, ("Retry-After", str(self.retry_after))]


def unavailable(seconds: int = 1) -> Refused:
    """The 503 of an outage, or of an outcome that is not known; when to try again."""
    return Refused(503, "Try again.", cause="unavailable", retry_after=seconds)


def assertion_holds(error: OAuth2Error) -> bool:
    """Whether a refusal came after the client had authenticated."""
    return error.error in {
        "invalid_scope",
        "unauthorized_client",
        "invalid_dpop_proof",
        "use_dpop_nonce",
    }


def refusal(error: OAuth2Error) -> JSONResponse:
    """A refusal as RFC 6749 5.2 wants it."""
    status, body, headers = error()
    return JSONResponse(body, status, headers=dict(headers))
