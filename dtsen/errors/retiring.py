"""The end of what is older than this house, and its rehearsals."""

from dtsen.errors.base import DtsenError
from schemas.text import Text


class LegacyRetired(DtsenError):
    """The DTKS-shaped service has ended for this agency."""

    code = "legacy-retired"
    status = 410
    title = Text("Layanan berbentuk DTKS telah berakhir", "The DTKS-shaped service has ended")
    detail = Text(
        "Bagi instansi Anda layanan /dtks/v1 telah berakhir menurut perjanjian. Terjemahkan ID"
        " DTKS di POST /v1/legacy/dtks/resolve atau dengan `dtsen legacy migrate`, lalu pakai"
        " layanan v1; panduannya docs/agencies/dtks.md.",
        "For your agency the service /dtks/v1 has ended, as the agreement says. Translate DTKS ids"
        " at POST /v1/legacy/dtks/resolve or with `dtsen legacy migrate`, then use version 1; the"
        " guide is docs/agencies/dtks.md.",
    )


class BrownOut(DtsenError):
    """An announced rehearsal of that end is going on."""

    code = "brown-out"
    status = 503
    title = Text("Gladi penghentian layanan DTKS", "Rehearsal of the end")
    detail = Text(
        "Layanan /dtks/v1 sengaja dihentikan sementara, seperti diumumkan dalam perjanjian. Ulangi"
        " setelah Retry-After, dan pindahkan sistem Anda sebelum berakhir.",
        "The service /dtks/v1 is stopped for a while on purpose, as the agreement announced. Try"
        " again after Retry-After, and move your system before it ends.",
    )

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})
