"""The access log: search it, open one record. What is looked at is recorded too."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.call import JSON, Call, Served
from api.document import documented
from api.inputs import WHOLE
from api.route import GuardedRoute, served
from dtsen.audit.search import MOST_RECORDS, Page
from dtsen.audit.shape import page_answer
from dtsen.audit.statement import Filter
from dtsen.audit.viewer import Viewer
from dtsen.cursor import LONGEST
from dtsen.disclosure.mandate import Mandate, Operation
from dtsen.errors import (
    AuditScopeRequired,
    CursorExpired,
    InvalidCursor,
    RecordNotFound,
    Unavailable,
)
from schemas.agreement import Agreement, opened_variables
from schemas.agreement_terms import Code, Line, PurposeCode
from schemas.identifiers import Kk, Nik

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

SEARCH = Operation("audit.search", "audit:read", "audit.search")
RECORD_BY_ID = Operation("audit.record", "audit:read", "audit.read")

RECORD = {"$ref": "#/components/schemas/AccessRecord"}
USUAL_RECORDS = 100
LONGEST_INSTANT = 40
RECORD_ID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LEAP_SECOND = "60"
_NUMBERS = {
    "anggota.nomor_induk_kependudukan": "nik",
    "anggota.nomor_kartu_keluarga": "kk",
    "keluarga.nomor_kartu_keluarga": "kk",
}


def _instant(written: str) -> str:
    read_instant(written)
    return written


def read_instant(written: str) -> datetime:
    """An RFC 3339 instant, to the microsecond; a leap second is the second after it."""
    parts = _INSTANT.fullmatch(written)
    if parts is None or len(written) > LONGEST_INSTANT:
        raise PydanticCustomError("malformed-instant", "not an instant of RFC 3339")
    minute, second, fraction, zone = parts.groups()
    leap = second == _LEAP_SECOND
    text = f"{minute}:{'59' if leap else second}{fraction or ''}{zone}".upper()
    try:
        instant = datetime.fromisoformat(text)
        return (instant + timedelta(seconds=int(leap))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("malformed-instant", "not an instant of RFC 3339") from None


Instant = Annotated[
    str,
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": LONGEST_INSTANT}),
]
OwnWord = Annotated[str, Field(min_length=1, max_length=128, pattern="^[!-~]{1,128}$")]
RecordId = Annotated[
    str,
    Field(
        min_length=36,
        max_length=36,
        pattern=RECORD_ID,
        description="A record's id, as `DTSEN-Access-Record` or a search gave it.",
    ),
]


class AuditedSubject(BaseModel):
    """A person whose data was asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nik: Nik


class AuditedFamily(BaseModel):
    """A family that was asked for, or whose data left."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nomor_kartu_keluarga: Kk


class AuditSearch(BaseModel):
    """What to search for; every member narrows. `from` is included, `to` is not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    agency: Code | None = None
    client: Code | None = None
    officer: OwnWord | None = None
    subject: AuditedSubject | None = None
    family: AuditedFamily | None = None
    purpose: PurposeCode | None = None
    legal_basis: Line | None = None
    operation: Annotated[str, Field(max_length=80, pattern=r"^[a-z*][a-z.-]*$")] | None = None
    outcome: Annotated[str, Field(max_length=80, pattern="^[a-z][a-z_-]*$")] | None = None
    case_ref: OwnWord | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_RECORDS), WHOLE] = USUAL_RECORDS
    cursor: Annotated[str, Field(min_length=1, max_length=LONGEST)] | None = None

    def filter(self) -> Filter:
        """The same in the log's words."""
        same = self.model_dump(include=set(Filter.__slots__) & set(type(self).model_fields))
        return Filter(
            **same
            | {
                "subject": self.subject.nik if self.subject else None,
                "family": self.family.nomor_kartu_keluarga if self.family else None,
                "since": read_instant(self.from_) if self.from_ else None,
                "until": read_instant(self.to) if self.to else None,
            }
        )


@router.post(
    "/search",
    **documented(
        SEARCH,
        (AuditScopeRequired, InvalidCursor, CursorExpired),
        answers={JSON: page_answer(RECORD)},
        people=False,
    ),
)
@served(Served(SEARCH))
async def search(call: Call, body: AuditSearch) -> Response:
    """Search the access log.

    You see the records of your own agency; under an agreement of role `pengawas`, those of all. To
    search by a person or family there, or to see whom records of others are about, the scope
    `audit:subjects` is needed too. By a number that its answers did not tell, an agency finds
    nothing. An officer or case belongs to an agency: name it. Pages are newest first. The
    search itself is recorded, with the person searched for.
    """
    wanted = body.filter()
    page = await call.parts.access_log.search(
        viewer(call.mandate), wanted, limit=body.limit, cursor=body.cursor
    )
    answer = {
        "records": page.records,
        "complete_until": page.complete_until.isoformat(timespec="microseconds"),
        "next": page.next,
    }
    return await call.tell(
        orjson.dumps(answer),
        outcome="found" if page.records else "not_found",
        query=_query(body, page),
        subjects=(wanted.subject,) if wanted.subject else (),
        families=(wanted.family,) if wanted.family else (),
    )


@router.get(
    "/records/{id}",
    **documented(RECORD_BY_ID, (RecordNotFound,), answers={JSON: RECORD}, body=False, people=False),
)
@served(Served(RECORD_BY_ID))
async def record(call: Call, id: RecordId) -> Response:  # noqa: A002 - the contract's name
    """Open one access record by its id.

    A record that is not there and a record that is not yours to see are the same 404. That a record
    was opened is recorded too, with the people it names.
    """
    if re.fullmatch(RECORD_ID, id) is None:
        raise RecordNotFound
    found = await call.parts.access_log.record(viewer(call.mandate), UUID(id))
    named = found.get("subject")
    return await call.tell(
        orjson.dumps(found),
        outcome="found",
        query={"record": id},
        subjects=tuple(named) if isinstance(named, list) else (),
    )


def viewer(mandate: Mandate) -> Viewer:
    """Who looks into the log under a mandate for one of its operations."""
    agreement, plan = mandate.agreement, mandate.plan
    if agreement is None or plan is None or mandate.purpose is None:
        raise Unavailable  # a mandate for a scoped operation has them all
    opened = map(str, agreement.terms.purposes[mandate.purpose].operations)
    return Viewer(
        agency=mandate.agency,
        client=mandate.token.client_id,
        plan=plan.id,
        role=agreement.role,
        scopes=mandate.token.scopes.intersection(opened),
        identifiers=frozenset(_opened_numbers(agreement.terms)),
    )


def _opened_numbers(terms: Agreement) -> Iterator[str]:
    """Kinds of identity numbers that an agreement opens unmasked for any of its purposes."""
    for purpose in terms.purposes.values():
        opened = {variable.qualified: variable for variable in opened_variables(purpose)}
        for name, kind in _NUMBERS.items():
            if name in opened and purpose.mask_of(opened[name]) is None:
                yield kind


def _query(body: AuditSearch, page: Page) -> dict[str, object]:
    """What was asked, beside whom, and which records were shown; recorded as a salted digest."""
    asked = body.model_dump(
        by_alias=True, exclude={"subject", "family", "cursor"}, exclude_none=True
    )
    shown = [one["jti"] for one in page.records]
    return {
        **asked,
        "by": "nik" if body.subject else "kk" if body.family else None,
        "complete_until": page.complete_until.isoformat(timespec="microseconds"),
        "shown": len(shown),
        "newest": shown[0] if shown else None,
        "oldest": shown[-1] if shown else None,
    }
