"""What we cannot answer."""

from dtsen.errors.base import DtsenError
from schemas.text import Text


class InternalError(DtsenError):
    """A defect of ours. Nothing about a person left."""

    code = "internal-error"
    status = 500
    title = Text("Kesalahan di pihak kami", "Our error")
    detail = Text(
        "Terjadi kesalahan di pihak kami. Sebutkan `instance` bila melapor.",
        "Something went wrong on our side. Quote `instance` when you report it.",
    )


class Unavailable(DtsenError):
    """A dependency is down, or the outcome is unknown: no answer rather than a guess."""

    code = "unavailable"
    status = 503
    title = Text("Belum dapat menjawab", "Temporarily unavailable")
    detail = Text(
        "Jawaban tidak dapat dipastikan sekarang. Ulangi setelah Retry-After.",
        "The answer cannot be made certain now. Try again after Retry-After.",
    )

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})
