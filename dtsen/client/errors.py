"""How a call of an agency's system can fail. No text here holds anything that was asked about."""


class CallFailed(Exception):
    """A call that brought no good answer; what follows says why.

    `status` is that of the answer, 0 without one; `retry_after` in seconds, where it was told.
    """

    status: int = 0
    retry_after: float | None = None


class ClientFileInvalid(CallFailed):
    """The client's file lacks something, or something in it cannot be used."""


class TokenRefused(CallFailed):
    """The authorization server gave no token; the text is its error (RFC 6749 5.2)."""

    def __init__(self, said: str, *, status: int = 0, retry_after: float | None = None) -> None:
        """Take what the server said, and when to come back."""
        super().__init__(said)
        self.status = status
        self.retry_after = retry_after


class Unreachable(CallFailed):
    """No answer came, or not in time. Whether the call was carried out is unknown."""


class AnswerInvalid(CallFailed):
    """An answer is not what the contract promises; nothing may be concluded from it."""
