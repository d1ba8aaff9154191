"""What the DTKS-shaped service answers: plain JSON in one order, made from the one mapping."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.question import Family, Person, Render, Rendering, Seen
from dtsen.legacy.advice import ADVICE, told as told_advice
from dtsen.legacy.crosswalk import Link
from dtsen.legacy.face import Verdict, judge
from dtsen.legacy.outcome import OUTCOMES
from dtsen.legacy.reasons import LISTED, REASONS, UNLISTED
from dtsen.legacy.schemes import LONGEST_VALUE, SCHEMES, Reading
from schemas.answers import LARGEST_FAMILY, RELEASE
from schemas.dtks import Member, Shape, dtks, members_schema

MOST_FAMILIES = 100


def rendering(reading: Reading, language: str) -> Render:
    """The answer in the shape of the contract (section 4, "Legacy")."""

    def render(_: Mandate, seen: Seen) -> Rendering:
        verdict = judge(reading, seen)
        listed = verdict.reason is None
        answer: dict[str, object] = {
            "status": "terdaftar" if listed else "tidak terdaftar",
            "keterangan": (LISTED if listed else UNLISTED).spoken(language),
            "alasan": _reason(verdict.reason, language),
            "hasil": verdict.outcome,
            "rilis": seen.release and seen.release.id,
            "data": _data(reading, verdict) if listed else None,
            "saran": [told_advice(one, language) for one in verdict.advice],
        }
        outcome = "found" if listed else "not_listed"
        return Rendering(200, orjson.dumps(answer), outcome, leaving=verdict.about)

    return render


def _reason(code: str | None, language: str) -> dict[str, str] | None:
    return None if code is None else {"kode": code, "teks": REASONS[code].spoken(language)}


def _data(reading: Reading, verdict: Verdict) -> dict[str, object]:
    if verdict.person is not None:
        own = _known(verdict.person, verdict.naming, None)
        return dict(_told("art", own, verdict.person, verdict.person.family or {}))
    value = reading.identifier.value if reading.identifier else None
    families: list[dict[str, object]] = []
    people: list[dict[str, object]] = []
    for nuk, family in enumerate(verdict.families, 1):
        families.append(dict(_told("keluarga", {"@nuk": nuk}, None, family.values)))
        people += (_of_household(member, family, verdict.naming, nuk) for member in family.members)
    return {
        "IDBDT": value,
        "Jumlah_Keluarga": len(families),
        "keluarga": families,
        "art": people,
    }


def _of_household(
    member: Person, family: Family, naming: Iterable[Link], nuk: int
) -> dict[str, object]:
    return dict(_told("art", _known(member, naming, nuk), member, family.values))


def _known(person: Person, naming: Iterable[Link], nuk: int | None) -> dict[str, object]:
    """What the crosswalk says of a person; an id only where it is the one there is."""
    links = [
        one
        for one in naming
        if one.nomor_induk_kependudukan == person.nik and one.state in ("linked", "deceased")
    ]
    households = {one.id_dtks for one in links}
    members = {one.id_art_dtks for one in links if one.id_art_dtks}
    states = {one.state for one in links}
    return {
        **({"@nuk": nuk} if nuk is not None else {}),
        "@id_dtks": households.pop() if len(households) == 1 else None,
        "@id_art_dtks": members.pop() if len(members) == 1 else None,
        "@record": person.status["record"],
        "@link": states.pop() if len(states) == 1 else None,
    }


def _told(
    shape: Shape,
    known: Mapping[str, object],
    person: Person | None,
    family: Mapping[str, object],
) -> Iterable[tuple[str, object]]:
    """Members of one shape in their order; what is not opened is absent."""
    for member in dtks().shapes[shape]:
        values = _values(member, known, person, family)
        name = member.variable.name if member.variable else member.origin
        if name in values:
            yield member.name, member.turned(values[name])


def _values(
    member: Member,
    known: Mapping[str, object],
    person: Person | None,
    family: Mapping[str, object],
) -> Mapping[str, object]:
    if member.variable is None:
        return known
    if member.variable.unit == "keluarga":
        return family
    return person.values if person else {}


def _object(properties: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


_ADVICE = _object(
    {
        "code": {"type": "string", "enum": list(ADVICE)},
        "text": {"type": "string", "maxLength": 400},
        "scheme": {"type": "string", "enum": [*SCHEMES, "nik"]},
        "value": {"type": "string", "maxLength": LONGEST_VALUE},
    },
    "scheme",
    "value",
)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _answer(data: dict[str, Any], outcomes: Sequence[str]) -> dict[str, Any]:
    return _object(
        {
            "status": {"type": "string", "enum": ["terdaftar", "tidak terdaftar"]},
            "keterangan": {"type": "string", "maxLength": 200},
            "alasan": _nullable(
                _object(
                    {
                        "kode": {"type": "string", "enum": list(REASONS)},
                        "teks": {"type": "string", "maxLength": 400},
                    }
                )
            ),
            "hasil": {"type": ["string", "null"], "enum": [*outcomes, None]},
            "rilis": RELEASE,
            "data": _nullable(data),
            "saran": {"type": "array", "maxItems": 200, "items": _ADVICE},
        }
    )


HOUSEHOLD: dict[str, Any] = _answer(
    _object(
        {
            "IDBDT": {"type": "string", "maxLength": 16},
            "Jumlah_Keluarga": {"type": "integer", "minimum": 1, "maximum": MOST_FAMILIES},
            "keluarga": {
                "type": "array",
                "maxItems": MOST_FAMILIES,
                "items": members_schema("keluarga"),
            },
            "art": {
                "type": "array",
                "maxItems": LARGEST_FAMILY,
                "items": members_schema("art"),
            },
        }
    ),
    OUTCOMES,
)
"""The answer to `POST /dtks/v1/rumah-tangga/cari`."""

PERSON: dict[str, Any] = _answer(members_schema("art"), OUTCOMES)
"""The answer to `POST /dtks/v1/art/cari`."""
