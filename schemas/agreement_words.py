"""An agreement in words, in both languages: what `GET /v1/agreement` answers, and its shape.

Nothing is left out that decides what the agency may see, ask or keep. Pure: what the agreement
says, with the catalogue's and the scopes' own sentences.
"""

from collections.abc import Iterable
from typing import Any

from schemas import wilayah
from schemas.agreement_models import ACTORS, Agreement, Purpose, Rows, opened_variables
from schemas.agreement_quota import PeopleShare, Requests
from schemas.agreement_sentences import sentences
from schemas.masks import MASKS
from schemas.scopes import Scope, sentence
from schemas.variables import CATALOGUE, Sensitivity, Variable, find


def told_agreement(agreement: Agreement) -> dict[str, Any]:
    """Give the whole agreement, ready for JSON; `AGREEMENT` describes its shape."""
    return {
        "number": agreement.agreement,
        "version": agreement.version,
        "agency": agreement.agency.model_dump(),
        "valid": {"from": str(agreement.valid.from_), "to": str(agreement.valid.to)},
        "summary": [text._asdict() for text in sentences(agreement)],
        "purposes": [_purpose(code, each) for code, each in agreement.purposes.items()],
        "rows": _rows(agreement.rows),
        "masks": [
            {
                "name": name,
                "values": dict(MASKS[name].values),
                "example": MASKS[name].example,
                **MASKS[name].text._asdict(),
            }
            for name in sorted(_masks_of(agreement))
        ],
        "quota": {
            "requests_per_second": agreement.quota.requests.per_second,
            "people_per_day": agreement.quota.people.per_day,
            "people_per_month": agreement.quota.people.per_month,
            "clients": [
                {"client": name, **_share(each.requests, each.people)}
                for name, each in agreement.quota.clients.items()
            ],
            "purposes": [
                {"purpose": name, **_share(None, each)}
                for name, each in agreement.quota.purposes.items()
            ],
            "weights": [
                {"sensitivity": name, "weight": weight} for name, weight in WEIGHTS.items()
            ],
        },
        "tokens": {
            "binding": agreement.tokens.binding,
            "exceptions": [
                {"client": each.client, "binding": each.binding, "until": str(each.until)}
                for each in agreement.tokens.exceptions
            ],
        },
        "legacy": _legacy(agreement),
        "joint": list(agreement.joint),
        "request_signature": agreement.request_signature,
        "retention": agreement.retention,
        "contacts": [
            {"role": each.role, "email": each.email, "name": each.name}
            for each in agreement.contacts
        ],
        "dpia": agreement.dpia,
        "clients": list(agreement.clients),
    }


def _share(requests: Requests | None, people: PeopleShare | None) -> dict[str, int | None]:
    return {
        "requests_per_second": requests.per_second if requests else None,
        "people_per_day": people.per_day if people else None,
        "people_per_month": people.per_month if people else None,
    }


def _weights(variables: Iterable[Variable]) -> dict[Sensitivity, int]:
    found: dict[Sensitivity, int] = {}
    for each in variables:
        found[each.sensitivity] = max(found.get(each.sensitivity, 0), each.weight)
    return found


WEIGHTS = _weights(CATALOGUE.values())
"""How many people one person counts for, by the sensitivity of the heaviest variable opened."""


def _masks_of(agreement: Agreement) -> set[str]:
    return {mask for purpose in agreement.purposes.values() for mask in purpose.masks.values()}


def _purpose(code: str, purpose: Purpose) -> dict[str, Any]:
    return {
        "code": code,
        "legal_basis": list(purpose.legal_basis),
        "actors": list(purpose.actors),
        "require": list(purpose.require),
        "operations": [
            {"scope": name, **sentence(Scope.parse(name))._asdict()} for name in purpose.operations
        ],
        "variables": [
            {
                "name": each.qualified,
                "group": each.group,
                "sensitivity": each.sensitivity,
                "level": each.level,
                "weight": each.weight,
                "mask": purpose.mask_of(each),
                "id": each.id,
                "en": each.en,
            }
            for each in opened_variables(purpose)
        ],
    }


def _rows(rows: Rows | None) -> dict[str, Any]:
    regions = rows.wilayah if rows else None
    deciles = rows.desil_nasional if rows else None
    return {
        "limited": rows is not None,
        "wilayah": None
        if regions is None
        else {
            "system": regions.system,
            "regions": [
                {"code": code, "name": _name(regions.system, code)} for code in regions.codes
            ],
        },
        "desil_nasional": None if deciles is None else {"min": deciles.min, "max": deciles.max},
        "sets": [
            {"variable": find(name).qualified, "values": list(values)}
            for name, values in (rows.sets.items() if rows else ())
        ],
    }


def _legacy(agreement: Agreement) -> dict[str, Any] | None:
    if agreement.legacy is None:
        return None
    told: dict[str, Any] = agreement.legacy.model_dump(mode="json", by_alias=True)
    return {"sunset": told["sunset"], "brown_outs": list(told["brown_outs"])}


def _name(system: wilayah.System, code: str) -> str | None:
    found = wilayah.find(system, code)
    return found.name if found else None


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _many(items: dict[str, Any], description: str = "") -> dict[str, Any]:
    told = {"description": description} if description else {}
    return {"type": "array", "maxItems": 1000, "items": items, **told}


def _line(longest: int = 200, *, words: Iterable[str] = ()) -> dict[str, Any]:
    listed = list(words)
    return (
        {"type": "string", "enum": listed} if listed else {"type": "string", "maxLength": longest}
    )


_DAY = {"type": "string", "format": "date", "maxLength": 10}
_INSTANT = {"type": "string", "format": "date-time", "maxLength": 40}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 2_000_000_000}
_SHARE = {
    name: {**_COUNT, "type": ["integer", "null"]}
    for name in ("requests_per_second", "people_per_day", "people_per_month")
}
_DECILE = {"type": ["integer", "null"], "minimum": 1, "maximum": 10}
_WORDS = {"id": _line(2000), "en": _line(2000)}
_BINDING = _line(words=("dpop", "mtls", "none"))

AGREEMENT: dict[str, Any] = {
    "description": "One agency's agreement: what it opens, to whom, for what, until when.",
    **_object(
        number=_line(64),
        version=_COUNT,
        agency=_object(
            code=_line(64),
            name=_line(),
            role=_line(words=("pengendali", "prosesor", "pengguna", "pengawas")),
        ),
        valid=_object(**{"from": _DAY, "to": _DAY}),
        summary=_many(_object(**_WORDS), "The same in sentences, Indonesian and English."),
        purposes=_many(
            _object(
                code=_line(64),
                legal_basis=_many(_line()),
                actors=_many(_line(words=ACTORS)),
                require=_many(_line(words=("officer", "case_ref"))),
                operations=_many(_object(scope=_line(64), **_WORDS)),
                variables=_many(
                    _object(
                        name=_line(80),
                        group=_line(20),
                        sensitivity=_line(words=WEIGHTS),
                        level=_line(words=("L2", "L3", "L4")),
                        weight=_COUNT,
                        mask=_maybe(_line(40)),
                        **_WORDS,
                    )
                ),
            )
        ),
        rows=_object(
            limited={"type": "boolean"},
            wilayah=_maybe(
                _object(
                    system=_line(words=wilayah.SYSTEMS),
                    regions=_many(_object(code=_line(13), name=_maybe(_line()))),
                )
            ),
            desil_nasional=_maybe(_object(min=_DECILE, max=_DECILE)),
            sets=_many(_object(variable=_line(80), values=_many(_line(10)))),
        ),
        masks=_many(
            _object(
                name=_line(40),
                values={
                    "type": "object",
                    "description": "JSON Schema of every masked value that is not null.",
                },
                example=_line(500),
                **_WORDS,
            )
        ),
        quota=_object(
            requests_per_second=_COUNT,
            people_per_day=_COUNT,
            people_per_month=_maybe(_COUNT),
            clients=_many(_object(client=_line(64), **_SHARE)),
            purposes=_many(_object(purpose=_line(64), **_SHARE)),
            weights=_many(
                _object(sensitivity=_line(words=WEIGHTS), weight=_COUNT),
                "People that one person counts for, by the most sensitive variable opened.",
            ),
        ),
        tokens=_object(
            binding=_BINDING,
            exceptions=_many(_object(client=_line(64), binding=_BINDING, until=_DAY)),
        ),
        legacy=_maybe(
            _object(sunset=_DAY, brown_outs=_many(_object(**{"from": _INSTANT, "to": _INSTANT})))
        ),
        joint=_many(
            _line(64), "Agencies whose ids may be translated, if their agreement says so too."
        ),
        request_signature=_line(words=("none", "required")),
        retention=_line(16),
        contacts=_many(_object(role=_line(), email=_line(254), name=_maybe(_line()))),
        dpia=_line(64),
        clients=_many(_line(64)),
    ),
}
"""JSON Schema of an agreement in words."""
