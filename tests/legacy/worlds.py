"""Small worlds for tests of legacy ids: links as the dtks file has them, people as the gate does.

All numbers are synthetic: district digits 99 in NIK and KK, village digits 999 in ID DTKS.
"""

from dataclasses import dataclass
from datetime import date

from dtsen.disclosure.question import Family, Fate, Person, Seen
from dtsen.legacy.crosswalk import Link, by_identifier, follow
from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.outcome import decide
from dtsen.legacy.schemes import read
from dtsen.legacy.standing import Present


def nik(number):
    return f"330199010190{number:04d}"


def kk(number):
    return f"330199150320{number:04d}"


def household(number):
    return f"3301990999{number:06d}"


def member(house, suffix=1):
    return f"{household(house)}{suffix:02d}"


def link(house=1, suffix=None, who=None, **said):
    """One row of the dtks file: of member `suffix` of household `house`, linked to NIK `who`."""
    values = {
        "id_dtks": household(house),
        "id_art_dtks": None if suffix is None else member(house, suffix),
        "idsemesta": None,
        "nomor_kartu_keluarga": None,
        "nomor_induk_kependudukan": None if who is None else nik(who),
        "state": "linked",
        "replaced_by": None,
        "source": "dtks-2021",
        "method": "nik",
        "score": None,
        "linked_on": date(2021, 6, 1),
    }
    return Link(**(values | said))


@dataclass(frozen=True)
class Someone:
    """One person of the release: which family card, and how this agency may see them."""

    card: int | None = 1
    record: str = "active"
    sight: str = "seen"
    limited: bool = False


HERE = Someone()
DEAD = Someone(record="deceased")
ELSEWHERE = Someone(sight="outside_wilayah")
RICHER = Someone(sight="outside_desil")
HIDDEN = Someone(sight="hidden")
LIMITED = Someone(limited=True)
UNMATCHED = {"state": "unmatched", "method": "none"}
WEAK = {"method": "name_birth_date", "score": 0.7}


def on_card(number, **changed):
    return Someone(card=number, **changed)


def merged(house, into, suffix=1, who=1):
    """A replaced link of a member, and the one that replaced it."""
    return [
        link(house, suffix, who, state="retired", replaced_by=member(into, suffix)),
        link(into, suffix, who),
    ]


def seen(people, links, *, opened=True):
    """What the gate gives for these people (by number), and the families of their cards."""
    made = Seen(None, finding=links)
    for number, one in people.items():
        made.sights[nik(number)] = one.sight
        card = None if one.card is None else kk(one.card)
        if one.sight != "hidden":
            made.fates[nik(number)] = Fate(one.record, card)
        if one.sight == "seen":
            made.people[nik(number)] = _person(number, one, card, opened=opened)
        if card is not None:
            made.family_sights[card] = "seen" if one.sight == "hidden" else one.sight
            if made.family_sights[card] == "seen":
                values = {"nomor_kartu_keluarga": card} if opened else {}
                made.families[card] = Family(card, f"k1-{card}", values, [])
    return made


def _person(number, one, card, *, opened):
    values = {"nomor_induk_kependudukan": nik(number)} if opened and not one.limited else {}
    family = None
    if card is not None and not one.limited:
        family = {"id": f"k1-{card}"} | ({"nomor_kartu_keluarga": card} if opened else {})
    return Person(nik(number), f"i1-{nik(number)}", {}, values, card, family)


def known_to(links):
    """The identifiers that a full reading of the file would know."""
    own = {identifier for one in links for identifier in one.identifiers()}
    return own | {target for one in links for target in one.successors()}


def resolve(asked, links, people, *, opened=True):
    """The resolution of one (scheme, value)."""
    arranged = by_identifier(links, known_to(links))
    return decide(read(*asked), arranged, Present(seen(people, arranged, opened=opened)))


def trail(asked, links):
    return follow(Identifier(*asked), by_identifier(links, known_to(links)))


def of_household(number=1):
    return ("id_dtks", household(number))


def of_member(house=1, suffix=1):
    return ("id_art_dtks", member(house, suffix))


def person_id(number):
    return f"i1-{nik(number)}"


def family_id(number):
    return f"k1-{kk(number)}"


def ids(resolution):
    return [candidate.shown.id for candidate in resolution.candidates]


def codes(resolution):
    return [advice.code for advice in resolution.advice]


def replacements(resolution):
    return [one.identifier for one in resolution.advice if one.code == "use_replacement"]
