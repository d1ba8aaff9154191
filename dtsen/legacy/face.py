"""The DTKS-shaped service: who is listed, and what is told of them. Through the gate as everything.

A household is translated by the crosswalk and listed with those of its present families that the
population rule lists; a member, or a person by NIK, by the rule alone. Whoever is not listed is
told why, and never as if not found. Nothing is picked: an ambiguous id lists nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from dtsen.database import Connection
from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.plan import Selection
from dtsen.disclosure.question import Expand, Family, Leaving, Person, Seen, Want
from dtsen.errors import Fault, FieldNotPermitted, NoRelease, Unavailable
from dtsen.individuals import cards
from dtsen.legacy.advice import Advice
from dtsen.legacy.claims import claims
from dtsen.legacy.crosswalk import Link, Links, follow, gather, linked
from dtsen.legacy.outcome import Resolution, decide
from dtsen.legacy.population import Rule, rule_in_force
from dtsen.legacy.reasons import ORDER
from dtsen.legacy.schemes import NIK, Reading
from dtsen.legacy.standing import Present
from schemas.dtks import variables

DECILE = "keluarga.desil_nasional"
_DECILE = "desil_nasional"
_TRANSLATED = ("exact", "merged")


@dataclass(frozen=True, slots=True)
class Finding:
    """What the first read found: links by id or of the person, and the rule of the day."""

    links: Links
    naming: Sequence[Link]
    rule: Rule | None


@dataclass(slots=True)
class Verdict:
    """What is answered: the families or the person listed, else the reason.

    `outcome`: what translating the id came to, None for a NIK. `about`: whose data the answer
    rests on, and so leave with it, listed or not.
    """

    reason: str | None
    outcome: str | None = None
    families: Sequence[Family] = ()
    person: Person | None = None
    naming: Sequence[Link] = ()
    advice: Sequence[Advice] = ()
    about: Leaving = field(default_factory=lambda: Leaving((), ()))


def wanting(mandate: Mandate) -> Want:
    """What the answer may hold: the mapped variables that are opened.

    Raises:
        NoRelease: none is in force.
        FieldNotPermitted: the decile, on which being listed rests, is not opened as it is.
    """
    if mandate.release is None:
        raise NoRelease
    masks = mandate.plan.masks if mandate.plan else {}
    if DECILE not in mandate.opened.names or DECILE in masks:
        raise FieldNotPermitted(faults=[Fault("", "field-not-permitted", DECILE)])
    mapped = variables()
    return Want(
        mandate.release,
        opened=Selection(
            tuple(v for v in mandate.opened.individual if v.qualified in mapped),
            tuple(v for v in mandate.opened.family if v.qualified in mapped),
        ),
    )


def expanding(reading: Reading) -> Expand:
    """The first read: the rule, the links, and from them whom the gate is to read."""

    async def expand(connection: Connection, want: Want) -> Want:
        rule = await rule_in_force(connection)
        ordinal, asked = want.release.ordinal, reading.identifier
        if asked is None:
            return want._replace(finding=Finding({}, (), rule))
        if reading.scheme is NIK:
            naming = await linked(connection, ordinal, [asked.value])
            return want._replace(niks=(asked.value,), finding=Finding({}, naming, rule))
        links = await gather(connection, ordinal, [asked])
        made = claims(follow(asked, links), reading.scheme)
        named = [*made.ends, *made.passed]
        niks = tuple(dict.fromkeys(claim.nik for claim in named if claim.nik))
        kks = [claim.kk for claim in named if claim.kk]
        if reading.scheme.kind == "household":
            kks += await cards(connection, ordinal, niks)
        finding = Finding(links, [link for of_id in links.values() for link in of_id], rule)
        return want._replace(niks=niks, kks=tuple(dict.fromkeys(kks)), finding=finding)

    return expand


def judge(reading: Reading, seen: Seen) -> Verdict:
    """Who is listed.

    Raises:
        Unavailable: no population rule has begun; nobody is listed by guess.
    """
    finding = cast("Finding", seen.finding)
    if finding.rule is None:
        raise Unavailable
    if reading.identifier is None:
        outcome = None if reading.scheme is NIK else "invalid_format"
        return Verdict("invalid_format", outcome, advice=reading.advice)
    if reading.scheme is NIK:
        person = seen.people.get(reading.identifier.value)
        verdict = _person(person, finding, finding.rule)
        verdict.advice = reading.advice
        return verdict
    resolution = decide(reading, finding.links, Present(seen))
    if reading.scheme.kind == "household":
        verdict = _household(resolution, seen, finding, finding.rule)
    else:
        verdict = _member(resolution, seen, finding, finding.rule)
    verdict.outcome, verdict.advice = resolution.outcome, resolution.advice
    return verdict


def _person(person: Person | None, finding: Finding, rule: Rule) -> Verdict:
    if person is None:
        return Verdict("not_found")
    about = Leaving((person.nik,), (person.kk,) if person.kk else ())
    if person.limited:
        return Verdict("restricted", about=about)
    family = person.family or {}
    said = rule.verdict(str(person.status["record"]), family.get(_DECILE))
    if said != "listed":
        return Verdict(said, about=about)
    naming = [one for one in finding.naming if one.nomor_induk_kependudukan == person.nik]
    return Verdict(None, person=person, naming=naming, about=about)


def _member(resolution: Resolution, seen: Seen, finding: Finding, rule: Rule) -> Verdict:
    if resolution.outcome not in _TRANSLATED:
        return Verdict(resolution.outcome, about=_told_of(resolution))
    (candidate,) = resolution.candidates
    return _person(seen.people.get(candidate.subject.number), finding, rule)


def _household(resolution: Resolution, seen: Seen, finding: Finding, rule: Rule) -> Verdict:
    if resolution.outcome not in (*_TRANSLATED, "split"):
        return Verdict(resolution.outcome, about=_told_of(resolution))
    found = [
        seen.families.get(one.subject.number) for one in resolution.candidates if not one.withheld
    ]
    families = [family for family in found if family is not None]
    if not families:
        return Verdict("restricted", about=_told_of(resolution))
    said = {family.kk: _of_family(family, rule) for family in families}
    listed = [
        replace(family, members=tuple(_listed_members(family, rule)))
        for family in families
        if said[family.kk] == "listed"
    ]
    if not listed:
        reason = min(said.values(), key=ORDER.index)
        return Verdict(reason, about=Leaving((), tuple(said)))
    about = Leaving(
        tuple(member.nik for family in listed for member in family.members), tuple(said)
    )
    return Verdict(None, families=listed, naming=finding.naming, about=about)


def _of_family(family: Family, rule: Rule) -> str:
    """What the rule says of a family: by its decile, if anybody in it counts at all."""
    if any(_listed_members(family, rule)):
        return rule.verdict(rule.records[0], family.values.get(_DECILE))
    if any(member.limited for member in family.members):
        return "restricted"
    records = {str(member.status["record"]) for member in family.members}
    return "deceased" if records == {"deceased"} else "inactive"


def _listed_members(family: Family, rule: Rule) -> Iterator[Person]:
    for member in family.members:
        if not member.limited and str(member.status["record"]) in rule.records:
            yield member


def _told_of(resolution: Resolution) -> Leaving:
    """Whose death or restriction is told with an outcome."""
    if resolution.outcome not in ("deceased", *_TRANSLATED, "split"):
        return Leaving((), ())
    niks = dict.fromkeys(nik for one in resolution.candidates for nik in one.niks)
    kks = dict.fromkeys(kk for one in resolution.candidates for kk in one.kks)
    return Leaving(tuple(niks), tuple(kks))
