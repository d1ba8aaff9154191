"""Claims held against the release in force: who is there, and how the mandate sees them. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dtsen.disclosure.question import Fate, Person, Seen
from dtsen.legacy.claims import Claim
from dtsen.legacy.crosswalk import Link
from dtsen.legacy.schemes import Scheme

CERTAIN = 1.0
"""Score of a link that has none: matched by number or seen in the field, not by likeness."""

_NIK = "nomor_induk_kependudukan"
_KK = "nomor_kartu_keluarga"


class Subject(NamedTuple):
    """A person or family that an id may stand for, by NIK or KK."""

    kind: Literal["individual", "family"]
    number: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A person or family as the mandate sees them; `number` only where the agreement opens it."""

    kind: Literal["individual", "family"]
    id: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One claim held against the release.

    `here`: the release has whom it names, inside the agreement's rows or outside; `shown` is given
    only inside. `recorded`: a death stands in the release, not in the link alone. `contested`:
    another claim contradicts it.
    """

    claim: Claim
    subject: Subject
    here: bool
    dead: bool
    recorded: bool
    shown: Shown | None
    contested: bool = False

    @property
    def strength(self) -> tuple[bool, float]:
        """How good the evidence is; greater is better."""
        return not self.contested, strength(self.claim.link)


def strength(link: Link) -> float:
    """How sure a link is by itself, 0 to 1."""
    return CERTAIN if link.score is None else link.score


class Present:
    """The release in force as far as it decides outcomes: what the gate saw, without the hidden."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._members: dict[str, list[Fate]] = defaultdict(list)
        for fate in seen.fates.values():
            if fate.kk is not None:
                self._members[fate.kk].append(fate)

    def standings(self, made: Iterable[Claim], scheme: Scheme) -> list[Standing]:
        """The claims on whoever is not hidden."""
        held = (self._person(claim, scheme) if claim.nik else self._family(claim) for claim in made)
        return [standing for standing in held if standing is not None]

    def _person(self, claim: Claim, scheme: Scheme) -> Standing | None:
        nik = claim.nik or ""
        if self._seen.sights.get(nik) == "hidden":
            return None
        fate = self._seen.fates.get(nik)
        subject = Subject("individual", nik)
        if scheme.kind == "household" and fate is not None and fate.kk is not None:
            subject = Subject("family", fate.kk)
        recorded = fate is not None and fate.record == "deceased"
        person = self._seen.people.get(nik)
        return Standing(
            claim,
            subject,
            here=fate is not None,
            dead=recorded or claim.link.state == "deceased",
            recorded=recorded,
            shown=None if person is None else _as_seen(person, subject),
        )

    def _family(self, claim: Claim) -> Standing | None:
        kk = claim.kk or ""
        here = self._seen.family_sights.get(kk, "absent") != "absent"
        members = self._members[kk]
        if here and not members:
            return None  # everybody in it is hidden
        recorded = here and all(fate.record == "deceased" for fate in members)
        family = self._seen.families.get(kk)
        return Standing(
            claim,
            Subject("family", kk),
            here=here,
            dead=recorded or claim.link.state == "deceased",
            recorded=recorded,
            shown=None
            if family is None
            else Shown("family", family.id, _text(family.values.get(_KK))),
        )


def _as_seen(person: Person, subject: Subject) -> Shown:
    """The person, or the family that stands for them; the person still where that is withheld."""
    if subject.kind == "individual":
        return Shown("individual", person.id, _text(person.values.get(_NIK)))
    if person.family is None:
        return Shown("individual", person.id)
    return Shown("family", str(person.family["id"]), _text(person.family.get(_KK)))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
