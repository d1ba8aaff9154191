"""From people to their legacy ids, with what each id comes to when it is translated.

An id that names somebody may name others too: what `resolve` says of it stands beside it, so that
nobody takes a doubled id for a sure one. People outside the agreement's rows, under `hide` or not
in the release are not found, whatever the crosswalk says of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import orjson

from dtsen.database import Connection
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.question import Leaving, Person, Render, Rendering, Seen, Want, Wanting
from dtsen.errors import NoRelease
from dtsen.legacy.advice import told as told_advice
from dtsen.legacy.answer import MOST_HELD
from dtsen.legacy.claims import claims
from dtsen.legacy.crosswalk import Link, Links, follow, gather, linked
from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.outcome import decide
from dtsen.legacy.resolving import told_evidence
from dtsen.legacy.schemes import SCHEMES, Reading
from dtsen.legacy.standing import Present, strength


@dataclass(frozen=True, slots=True)
class Finding:
    """What the first read found: links that name each NIK, and the links of all their ids."""

    naming: Mapping[str, Sequence[Link]]
    links: Links


def wanting(niks: Iterable[str]) -> Wanting:
    """What to read of people by NIK: whether they are seen, and no variable.

    The maker raises NoRelease when none is in force.
    """
    distinct = tuple(dict.fromkeys(niks))

    def want(mandate: Mandate) -> Want:
        if mandate.release is None:
            raise NoRelease
        return Want(mandate.release, distinct)

    return want


async def expand(connection: Connection, want: Want) -> Want:
    """The first read: the people's links, and whoever else their ids name."""
    naming: dict[str, list[Link]] = {}
    for link in await linked(connection, want.release.ordinal, want.niks):
        naming.setdefault(link.nomor_induk_kependudukan or "", []).append(link)
    ids = [one for of_nik in naming.values() for link in of_nik for one in link.identifiers()]
    links = await gather(connection, want.release.ordinal, ids)
    made = [claims(follow(one, links), SCHEMES[one.scheme]) for one in dict.fromkeys(ids)]
    named = [claim for each in made for claim in (*each.ends, *each.passed)]
    niks = dict.fromkeys((*want.niks, *(claim.nik for claim in named if claim.nik)))
    kks = dict.fromkeys(claim.kk for claim in named if claim.kk)
    return want._replace(niks=tuple(niks), kks=tuple(kks), finding=Finding(naming, links))


def rendering(niks: Sequence[str], language: str) -> Render:
    """The answer in the shape of the contract (section 4, "DTKS"), results in the order asked."""

    def render(_: Mandate, seen: Seen) -> Rendering:
        finding, present = cast("Finding", seen.finding), Present(seen)
        told = {
            nik: _told(nik, seen.people.get(nik), finding, present, language=language)
            for nik in dict.fromkeys(niks)
        }
        found = [nik for nik in told if nik in seen.people]
        outcome = "found" if len(found) == len(told) else "partial" if found else "not_found"
        results = [told[nik] for nik in niks]
        return Rendering(
            200,
            orjson.dumps({"release": seen.release and seen.release.id, "results": results}),
            outcome,
            leaving=Leaving(tuple(found), ()),
        )

    return render


def _told(
    nik: str, person: Person | None, finding: Finding, present: Present, *, language: str
) -> dict[str, object]:
    if person is None:
        return {"nik": nik, "status": "not_found"}
    told: dict[str, object] = {"nik": nik, "status": "found", "id": person.id}
    if person.limited:
        return {**told, "withheld": [{"field": "identifiers", "reason": "restricted"}]}
    held = list(_best(finding.naming.get(nik, ())).items())[:MOST_HELD]
    ids = [_told_id(one, link, finding.links, present, language=language) for one, link in held]
    return {**told, "identifiers": ids, "withheld": []}


def _best(naming: Iterable[Link]) -> Mapping[Identifier, Link]:
    """Each id with the best link by which it names the person, in the order of the schemes."""
    best: dict[Identifier, Link] = {}
    for link in sorted(naming, key=lambda one: (-strength(one), -one.linked_on.toordinal())):
        for identifier in link.identifiers():
            best.setdefault(identifier, link)
    order = list(SCHEMES)
    return dict(sorted(best.items(), key=lambda one: (order.index(one[0].scheme), one[0].value)))


def _told_id(
    identifier: Identifier, link: Link, links: Links, present: Present, *, language: str
) -> dict[str, object]:
    reading = Reading(SCHEMES[identifier.scheme], identifier.value, identifier)
    resolution = decide(reading, links, present)
    return {
        **identifier._asdict(),
        "outcome": resolution.outcome,
        "evidence": told_evidence(link),
        "advice": [told_advice(advice, language) for advice in resolution.advice],
    }
