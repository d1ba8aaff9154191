"""When the DTKS-shaped service ends for an agency, and when that is rehearsed. Pure."""

from datetime import UTC, datetime, time, timedelta
from math import ceil

from dtsen.clock import WIB
from dtsen.errors import BrownOut, LegacyRetired
from schemas.agreement import Agreement
from schemas.dtks import dtks
from schemas.text import Text

NEXT_STEPS: dict[str, Text] = {
    "translate_the_ids": Text(
        "Terjemahkan kolom ID DTKS Anda: `dtsen legacy migrate`, atau"
        " POST /v1/legacy/dtks/resolve.",
        "Translate your column of DTKS ids: `dtsen legacy migrate`, or"
        " POST /v1/legacy/dtks/resolve.",
    ),
    "use_version_1": Text(
        "Cari menurut NIK atau id Anda sendiri di /v1/individuals; kelayakan program bukan desil.",
        "Look up by NIK or by your own id at /v1/individuals; a decile is not eligibility.",
    ),
    "ask_the_controller": Text(
        "Bila perlu waktu, mintalah perubahan perjanjian kepada pengendali data.",
        "If you need time, ask the data controller for another version of the agreement.",
    ),
}
"""What to do once it has ended: the migration guide in short, by code."""


def deprecated() -> datetime:
    """Since when the service is deprecated (RFC 9745)."""
    return datetime.combine(dtks().deprecated, time(), WIB).astimezone(UTC)


def sunset(terms: Agreement) -> datetime:
    """The instant after which it answers this agency no more (RFC 8594)."""
    last = terms.valid.to
    if terms.legacy is not None:
        last = min(last, terms.legacy.sunset)
    return datetime.combine(last + timedelta(days=1), time(), WIB).astimezone(UTC)


def check(terms: Agreement, now: datetime, language: str) -> None:
    """Let a call of the DTKS-shaped service pass, or not.

    Raises:
        LegacyRetired: it has ended for this agency.
        BrownOut: its end is being rehearsed.
    """
    if now >= sunset(terms):
        steps = [{"code": code, "text": text.spoken(language)} for code, text in NEXT_STEPS.items()]
        raise LegacyRetired(members={"next_steps": steps})
    for one in terms.legacy.brown_outs if terms.legacy else ():
        if one.from_ <= now < one.to:
            raise BrownOut(retry_after=max(1, ceil((one.to - now).total_seconds())))
