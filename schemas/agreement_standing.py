"""What an agreement opens beside data: to whom, until when, how much, how it is bound."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Literal

from schemas.agreement_models import Agreement

WIB = timezone(timedelta(hours=7), "WIB")
_BINDINGS = frozenset({"dpop", "mtls"})

Said = tuple[str, Literal["opens", "closes", "other"], str, str]
"""Kind, effect, and the sentence in Indonesian and English."""


def standing(
    narrow: Agreement, wide: Agreement, effect: Literal["opens", "closes", "other"]
) -> Iterator[Said]:
    """What `wide` has that `narrow` has not."""
    yield from _parties(narrow, wide, effect)
    yield from _time(narrow, wide, effect)
    for kind, less, more in _limits(narrow, wide):
        before, after = (less, more) if effect == "opens" else (more, less)
        none_id, none_en = "tanpa batas", "no limit"
        yield (
            kind,
            effect,
            f"Kuota {kind}: {before or none_id} menjadi {after or none_id}.",
            f"Quota {kind}: {before or none_en} becomes {after or none_en}.",
        )
    yield from _binding(narrow, wide, effect)


def _parties(
    narrow: Agreement, wide: Agreement, effect: Literal["opens", "closes", "other"]
) -> Iterator[Said]:
    opens = effect == "opens"
    if opens and narrow.agreement != wide.agreement:
        yield "agreement", effect, "Perjanjian yang lain.", "Another agreement."
    if opens and narrow.agency.code != wide.agency.code:
        yield "agency", effect, "Instansi yang lain.", "Another agency."
    if opens and narrow.agency.role != wide.agency.role:
        yield (
            "role",
            effect,
            f"Peran {narrow.agency.role} menjadi {wide.agency.role}.",
            f"Role {narrow.agency.role} becomes {wide.agency.role}.",
        )
    if more := [name for name in wide.clients if name not in narrow.clients]:
        listed = ", ".join(more)
        word_id, word_en = ("ditambah", "is added") if opens else ("dihapus", "is removed")
        yield "client", effect, f"Klien {listed} {word_id}.", f"Client {listed} {word_en}."
    if more := [code for code in wide.joint if code not in narrow.joint]:
        listed = ", ".join(more)
        word_id, word_en = ("boleh", "may") if opens else ("tidak lagi boleh", "may no more")
        yield (
            "joint",
            effect,
            f"ID dari dan ke {listed} {word_id} diterjemahkan.",
            f"Ids from and to {listed} {word_en} be translated.",
        )


def _time(
    narrow: Agreement, wide: Agreement, effect: Literal["opens", "closes", "other"]
) -> Iterator[Said]:
    days = [
        (wide.valid.from_, narrow.valid.from_ - timedelta(days=1), wide.valid.from_),
        (narrow.valid.to + timedelta(days=1), wide.valid.to, wide.valid.to),
    ]
    word_id, word_en = (
        ("menjadi berlaku", "comes into force on")
        if effect == "opens"
        else ("tidak lagi berlaku", "is no longer in force on")
    )
    for first, last, day in days:
        if first <= last:
            yield "validity", effect, f"Perjanjian {word_id} pada {day}.", f"It {word_en} {day}."
    if (instant := _legacy_instant(narrow, wide)) is not None:
        told = instant.isoformat()
        yield (
            "legacy",
            effect,
            f"Layanan berbentuk DTKS pada {told}: {'dibuka' if effect == 'opens' else 'ditutup'}.",
            f"The DTKS-shaped service at {told}: {'open' if effect == 'opens' else 'closed'}.",
        )


def _legacy_instant(narrow: Agreement, wide: Agreement) -> datetime | None:
    """An instant at which `wide` has the DTKS-shaped service and `narrow` has not."""
    instants = {datetime.combine(wide.valid.from_, time(), WIB)}
    for agreement in (narrow, wide):
        instants.add(datetime.combine(agreement.valid.from_, time(), WIB))
        if agreement.legacy is not None:
            instants.add(_after(agreement.legacy.sunset))
            for each in agreement.legacy.brown_outs:
                instants |= {each.from_, each.to}
    ended = _after(wide.valid.to)
    return next(
        (
            each
            for each in sorted(instants)
            if each < ended and _has_legacy(wide, each) and not _has_legacy(narrow, each)
        ),
        None,
    )


def _after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), WIB)


def _has_legacy(agreement: Agreement, instant: datetime) -> bool:
    terms = agreement.legacy
    if terms is None:
        return True
    out = any(each.from_ <= instant < each.to for each in terms.brown_outs)
    return instant < _after(terms.sunset) and not out


def _limits(narrow: Agreement, wide: Agreement) -> Iterator[tuple[str, int | None, int | None]]:
    """Quotas that are larger in `wide`; None is no limit.

    The share of a client or purpose that `wide` has not at all limits nothing any more.
    """
    shares = narrow.quota.model_dump()
    shares["clients"] = {k: v for k, v in shares["clients"].items() if k in wide.clients}
    shares["purposes"] = {k: v for k, v in shares["purposes"].items() if k in wide.purposes}
    less, more = dict(_flat(shares)), dict(_flat(wide.quota.model_dump()))
    for name, limit in less.items():
        wider = more.get(name)
        if wider is None or wider > limit:
            yield name, limit, wider


def _flat(quota: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, int]]:
    """Every limit of a quota by its path."""
    for name, value in quota.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def _binding(
    narrow: Agreement, wide: Agreement, effect: Literal["opens", "closes", "other"]
) -> Iterator[Said]:
    if (narrow.request_signature, wide.request_signature) == ("required", "none"):
        word_id, word_en = (
            ("tidak lagi wajib", "is no longer required")
            if effect == "opens"
            else ("menjadi wajib", "becomes required")
        )
        yield (
            "request_signature",
            effect,
            f"Tanda tangan permintaan {word_id}.",
            f"A request signature {word_en}.",
        )
    for client in wide.clients:
        if client not in narrow.clients:
            continue
        day = _loose_day(narrow, wide, client)
        if day is not None:
            word_id, word_en = ("boleh", "may") if effect == "opens" else ("tidak boleh", "may not")
            yield (
                "tokens",
                effect,
                f"Token {client} {word_id} terikat lebih longgar pada {day}.",
                f"Tokens of {client} {word_en} be bound more loosely on {day}.",
            )


def _loose_day(narrow: Agreement, wide: Agreement, client: str) -> date | None:
    """A day on which `wide` allows a binding that `narrow` does not, within both validities."""
    first = max(wide.valid.from_, narrow.valid.from_)
    last = min(wide.valid.to, narrow.valid.to)
    ends = [each.until for a in (narrow, wide) for each in a.tokens.exceptions]
    days = [first, *(each for day in ends for each in (day, day + timedelta(days=1)))]
    return next(
        (
            day
            for day in sorted(days)
            if first <= day <= last and _allowed(wide, client, day) - _allowed(narrow, client, day)
        ),
        None,
    )


def _allowed(agreement: Agreement, client: str, day: date) -> frozenset[str]:
    """The bindings that tokens of a client may have on a day; `none` asks for none."""
    written = {agreement.tokens.binding}
    written |= {
        each.binding
        for each in agreement.tokens.exceptions
        if each.client == client and day <= each.until
    }
    return frozenset(written) | (_BINDINGS if "none" in written else frozenset())
