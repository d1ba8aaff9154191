"""One call, from the identifiers asked to a resolution for each: what to read, what to answer.

The first read finds the links of the ids, the gate then reads the people and families that they
name under the mandate's plan, and the outcomes are decided from both.
"""

from collections.abc import Iterable, Sequence
from typing import cast

import orjson

from dtsen.database import Connection
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.plan import Selection
from dtsen.disclosure.question import Expand, Leaving, Render, Rendering, Seen, Want
from dtsen.errors import NoRelease
from dtsen.legacy.advice import told as told_advice
from dtsen.legacy.candidates import Candidate
from dtsen.legacy.claims import Claim, claims
from dtsen.legacy.crosswalk import Link, Links, follow, gather
from dtsen.legacy.outcome import Resolution, decide
from dtsen.legacy.schemes import Reading
from dtsen.legacy.standing import Present

_NUMBERS = {"individual": "nik", "family": "nomor_kartu_keluarga"}
_OPENED = {"anggota.nomor_induk_kependudukan", "keluarga.nomor_kartu_keluarga"}


def wanting(mandate: Mandate) -> Want:
    """What a call may show of those whom it finds: NIK and KK, where they are opened unmasked.

    Raises:
        NoRelease: none is in force.
    """
    if mandate.release is None:
        raise NoRelease
    opened = _OPENED - set(mandate.plan.masks if mandate.plan else ())
    return Want(
        mandate.release,
        opened=Selection(
            tuple(v for v in mandate.opened.individual if v.qualified in opened),
            tuple(v for v in mandate.opened.family if v.qualified in opened),
        ),
    )


def expanding(readings: Sequence[Reading]) -> Expand:
    """The first read: the links of all ids, and from them whom the gate is to read."""

    async def expand(connection: Connection, want: Want) -> Want:
        asked = [reading.identifier for reading in readings if reading.identifier]
        links = await gather(connection, want.release.ordinal, asked)
        named = _named(readings, links)
        niks = dict.fromkeys(claim.nik for claim in named if claim.nik)
        kks = dict.fromkeys(claim.kk for claim in named if claim.kk)
        return want._replace(niks=tuple(niks), kks=tuple(kks), finding=links)

    return expand


def _named(readings: Sequence[Reading], links: Links) -> list[Claim]:
    named: list[Claim] = []
    for reading in readings:
        if reading.identifier is not None:
            made = claims(follow(reading.identifier, links), reading.scheme)
            named += (*made.ends, *made.passed)
    return named


def rendering(readings: Sequence[Reading], language: str) -> Render:
    """The answer in the shape of the contract (section 4, "DTKS"), results in the order asked."""

    def render(_: Mandate, seen: Seen) -> Rendering:
        resolutions = _resolved(readings, seen)
        results = [
            _told(reading, resolution, language)
            for reading, resolution in zip(readings, resolutions, strict=True)
        ]
        found = [bool(resolution.candidates) for resolution in resolutions]
        return Rendering(
            200,
            orjson.dumps({"release": seen.release and seen.release.id, "results": results}),
            "found" if all(found) else "partial" if any(found) else "not_found",
            leaving=_leaving(resolutions),
        )

    return render


def _resolved(readings: Sequence[Reading], seen: Seen) -> Sequence[Resolution]:
    links, present = cast("Links", seen.finding), Present(seen)
    decided: dict[Reading, Resolution] = {}
    for reading in readings:
        if reading not in decided:
            decided[reading] = decide(reading, links, present)
    return [decided[reading] for reading in readings]


def _leaving(resolutions: Iterable[Resolution]) -> Leaving:
    """Whose data leave: those of whom a candidate is listed, and nobody else who was read."""
    listed = [candidate for resolution in resolutions for candidate in resolution.candidates]
    niks = dict.fromkeys(nik for candidate in listed for nik in candidate.niks)
    kks = dict.fromkeys(kk for candidate in listed for kk in candidate.kks)
    return Leaving(tuple(niks), tuple(kks))


def _told(reading: Reading, resolution: Resolution, language: str) -> dict[str, object]:
    return {
        "scheme": reading.scheme.name,
        "value": reading.written,
        "outcome": resolution.outcome,
        "candidates": [_told_candidate(candidate) for candidate in resolution.candidates],
        "advice": [told_advice(advice, language) for advice in resolution.advice],
    }


def _told_candidate(candidate: Candidate) -> dict[str, object]:
    shown, link = candidate.shown, candidate.evidence
    told: dict[str, object] = {"kind": shown.kind, "id": shown.id}
    if shown.number is not None:
        told[_NUMBERS[shown.kind]] = shown.number
    return {**told, "evidence": told_evidence(link)}


def told_evidence(link: Link) -> dict[str, object]:
    """How a link is known, in the shape of the contract."""
    evidence: dict[str, object] = {"source": link.source, "method": link.method}
    if link.score is not None:
        evidence["score"] = link.score
    evidence["date"] = link.linked_on.isoformat()
    return evidence
