"""One case of the differential: what agencies agreed, who is restricted, what is asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AGENCIES = ("dinas-satu", "dinas-dua")
TRANSLATE = "individuals.translate"
LONGEST_ID = 100
AUDIT, AUDIT_PURPOSE = "audit:read", "CATATAN"
"""Every agency may see its own records of the log, for a purpose that opens nothing else."""


ACTORS = ("officer", "subject", "system")
"""Who may set a request off; all, unless a purpose says who."""


@dataclass(frozen=True)
class Purpose:
    """One purpose of an agreement, as the file says it."""

    operations: tuple[str, ...]
    variables: tuple[str, ...]
    masks: Mapping[str, str] = field(default_factory=dict)
    actors: tuple[str, ...] = ACTORS
    require: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """One agency's agreement. Rows: None is no limit; codes are of `system`."""

    agency: str
    purposes: Mapping[str, Purpose]
    system: str = "bps"
    codes: tuple[str, ...] | None = None
    desil: tuple[int | None, int | None] | None = None
    per_day: int = 1_000_000
    per_month: int | None = None
    per_second: int = 100_000
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    joint: tuple[str, ...] = ()

    @property
    def client(self) -> str:
        return f"klien-{self.agency}"

    @property
    def number(self) -> str:
        return f"PKS-{self.agency}/2026"

    def document(self, version: int) -> str:
        """The file of contract 7; JSON is YAML too."""
        rows: dict[str, Any] = {}
        if self.codes is not None:
            rows["wilayah"] = {"system": self.system, "codes": self.codes}
        if self.desil is not None:
            bounds = zip(("min", "max"), self.desil, strict=True)
            rows["desil_nasional"] = {name: bound for name, bound in bounds if bound is not None}
        if self.sets:
            rows["sets"] = dict(self.sets)
        people = {"per_day": self.per_day}
        if self.per_month is not None:
            people["per_month"] = self.per_month
        purposes = {
            code: {
                "legal_basis": [f"Dasar {code}"],
                "operations": purpose.operations,
                "variables": purpose.variables,
                "masks": dict(purpose.masks),
                "actors": purpose.actors,
                "require": purpose.require,
            }
            for code, purpose in self.purposes.items()
        }
        purposes[AUDIT_PURPOSE] = {
            "legal_basis": ["Dasar catatan"],
            "operations": [AUDIT],
            "variables": [],
        }
        return json.dumps(
            {
                "agreement": self.number,
                "version": version,
                "agency": {"code": self.agency, "name": "Dinas Uji", "role": "pengguna"},
                "valid": {"from": "2026-01-01", "to": "2036-12-31"},
                "purposes": purposes,
                **({"rows": rows} if rows else {}),
                **({"joint": self.joint} if self.joint else {}),
                "quota": {"requests": {"per_second": self.per_second}, "people": people},
                "tokens": {"binding": "none", "exceptions": []},
                "retention": "P1Y",
                "contacts": [{"role": "dpo", "email": "dpo@example.id"}],
                "dpia": "DPIA-1",
                "clients": [self.client],
            }
        )


@dataclass(frozen=True)
class Call:
    """An operation of the contract, and the name that records give it."""

    op: str
    method: str
    path: str
    scope: str
    number: str | None = None
    """The member of the body that names whom; None: an id in the path."""


CALLS = {
    call.op: call
    for call in (
        Call("individuals.lookup", "POST", "/v1/individuals/lookup", "individuals:read", "nik"),
        Call(
            "individuals.batch-lookup",
            "POST",
            "/v1/individuals/batch-lookup",
            "individuals:read",
            "niks",
        ),
        Call("individuals.get", "GET", "/v1/individuals/", "individuals:read"),
        Call(
            "families.lookup",
            "POST",
            "/v1/families/lookup",
            "families:read",
            "nomor_kartu_keluarga",
        ),
        Call("families.get", "GET", "/v1/families/", "families:read"),
        Call(TRANSLATE, "POST", "/v1/individuals/translate", "individuals:translate", "ids"),
    )
}

SPOILS: Mapping[str, tuple[int, str]] = {
    "extra-member": (422, "invalid-request"),
    "malformed-number": (422, "invalid-request"),
    "number-as-integer": (422, "invalid-request"),
    "not-json": (400, "malformed-json"),
    "doubled-member": (400, "malformed-json"),
    "other-type": (415, "unsupported-media-type"),
    "bad-header": (400, "malformed-header"),
    "not-acceptable": (406, "not-acceptable"),
}
"""Ways to spoil a request, each with what the contract answers (5)."""
OF_HEADERS = ("bad-header", "not-acceptable")
SECRET = "RAHASIA-8471"  # noqa: S105 - a word of the caller's that no answer may repeat


@dataclass(frozen=True)
class Ask:
    """One request. `subjects`: NIKs, one KK, or one id as it stands in the path."""

    agency: int
    op: str
    scopes: tuple[str, ...]
    subjects: tuple[str, ...]
    purpose: str | None = None
    fields: tuple[str, ...] | None = None
    as_of: str | None = None
    ndjson: bool = False
    english: bool = False
    spoil: str | None = None
    held: str | None = None
    """For a GET of a person: what If-None-Match shows when it is sent again."""
    said: Mapping[str, str] = field(default_factory=dict)
    """What it says of itself: `actor`, `officer`, `case_ref`."""
    source: str | None = None
    """For a translation: the agency whose ids are shown."""

    @property
    def call(self) -> Call:
        return CALLS[self.op]


@dataclass(frozen=True)
class World:
    """Everything that one example of the campaign is made of."""

    terms: tuple[Terms, ...]
    restrictions: Mapping[str, str]
    asks: tuple[Ask, ...]
