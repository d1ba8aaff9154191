"""What an agency is told of itself: its agreement, its API, its own view of the log, its cursors.

Held against the agreement as its file says it; shares no code with what it judges.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.agreement import read_agreement
from schemas.variables import CATALOGUE
from tests.api.test_own_document import differences
from tests.differential.house import House
from tests.differential.leak import Leak, strict
from tests.differential.scope import selects
from tests.differential.worlds import AUDIT, AUDIT_PURPOSE, Purpose, Terms
from tests.documented import DOCUMENT
from tests.subset import beyond

PAGE = 3
MOST_PAGES = 3
TRIES, PAUSE_SECONDS = 5, 0.4
FOR_AUDITORS = {"reason", "src_ip"}
NUMBERS = {
    "subject": ("nik", {"anggota.nomor_induk_kependudukan"}),
    "subject_kk": ("kk", {"anggota.nomor_kartu_keluarga", "keluarga.nomor_kartu_keluarga"}),
}
"""Members of records that name somebody: shown to who asked by this kind, or may see it plain."""


@dataclass
class Asker:
    """One agency under its terms, with a token of these scopes."""

    house: House
    terms: Terms
    version: int
    scopes: tuple[str, ...]

    def get(self, path: str) -> Any:
        return self._read("GET", path, None)

    def search(self, body: dict[str, Any]) -> Any:
        return self._read("POST", "/v1/audit/search", body)

    def refused(self, body: dict[str, Any]) -> int:
        """The status of a search that is to be refused."""
        return self.house.portal.call(self._send, "POST", "/v1/audit/search", body).status_code

    def raw(self, path: str) -> Any:
        """An answer as it is, for the purpose of looking into the log; errors too."""
        return self._patient("GET", path, None)

    def _patient(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """An answer; a busy machine that refuses for a moment is asked again."""
        for _ in range(TRIES):
            answer = self.house.portal.call(self._send, method, path, body)
            if answer.status_code != 503:
                break
            time.sleep(PAUSE_SECONDS)
        return answer

    def _read(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        answer = self._patient(method, path, body)
        if answer.status_code != 200:
            raise Leak(f"{path}: {answer.status_code}")
        return strict(answer.content)

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        token, _ = self.house.signer.sign(self.terms.client, " ".join(self.scopes))
        headers = {"Authorization": f"Bearer {token}"}
        if path.startswith("/v1/audit"):
            headers["DTSEN-Purpose"] = AUDIT_PURPOSE
        return await self.house.http.request(method, path, headers=headers, json=body)


def judge_own(askers: Sequence[Asker]) -> int:
    """Hold what each agency is told of itself; how many answers.

    Raises:
        Leak: one says more, or less, than it must.
    """
    count = 0
    for place, asker in enumerate(askers):
        found = [*_agreement(asker), *_document(asker)]
        pages, cursor = _pages(asker)
        found += _records(asker, pages)
        other = askers[1 - place]
        if cursor and other.refused({"limit": PAGE, "cursor": cursor}) != 400:
            found.append("a cursor of another agency is taken")
        if cursor and asker.refused({"limit": PAGE, "outcome": "told", "cursor": cursor}) != 400:
            found.append("a cursor of another query is taken")
        if found:
            raise Leak(f"{asker.terms.agency}: {found[:5]}")
        count += 2 + len(pages)
    return count


def opened(terms: Terms) -> dict[str, dict[str, str | None]]:
    """Variables and masks by purpose, from the file's words."""
    return {
        code: {
            name: purpose.masks.get(name)
            for name, variable in CATALOGUE.items()
            if any(selects(selector, variable) for selector in purpose.variables)
        }
        for code, purpose in terms.purposes.items()
    } | {AUDIT_PURPOSE: {}}


def _foreign(terms: Terms, text: str) -> Iterator[str]:
    """Names of variables that a text says and the agreement does not open."""
    mine = {name for names in opened(terms).values() for name in names} | set(terms.sets)
    yield from (name for name in CATALOGUE if name not in mine and f'"{name}"' in text)


def _agreement(asker: Asker) -> Iterator[str]:
    terms, told = asker.terms, asker.get("/v1/agreement")["agreement"]
    said = {
        each["code"]: {variable["name"]: variable["mask"] for variable in each["variables"]}
        for each in told["purposes"]
    }
    if said != opened(terms):
        yield "the agreement tells other variables"
    operations = {
        each["code"]: {one["scope"] for one in each["operations"]} for each in told["purposes"]
    }
    wanted = {code: set(purpose.operations) for code, purpose in terms.purposes.items()}
    if operations != wanted | {AUDIT_PURPOSE: {AUDIT}}:
        yield "the agreement tells other operations"
    asking = {each["code"]: (each["actors"], each["require"]) for each in told["purposes"]}
    purposes = {**terms.purposes, AUDIT_PURPOSE: Purpose((), ())}
    if asking != {code: ([*each.actors], [*each.require]) for code, each in purposes.items()}:
        yield "the agreement tells others who may ask, or other things to name"
    rows = told["rows"]
    codes = None if terms.codes is None else list(terms.codes)
    regions = rows["wilayah"] and [each["code"] for each in rows["wilayah"]["regions"]]
    bounds = None if terms.desil is None else dict(zip(("min", "max"), terms.desil, strict=True))
    sets = {each["variable"]: tuple(each["values"]) for each in rows["sets"]}
    if (regions, rows["desil_nasional"], sets) != (codes, bounds, dict(terms.sets)):
        yield "the agreement tells other rows"
    if (told["number"], told["version"]) != (terms.number, asker.version):
        yield "another agreement"
    if tuple(told["joint"]) != terms.joint:
        yield "the agreement tells other agencies to be joint with"
    yield from _foreign(terms, json.dumps(told))


def _document(asker: Asker) -> Iterator[str]:
    told = asker.get("/v1/openapi.json")
    agreement = read_agreement(asker.terms.document(asker.version))
    yield from beyond(DOCUMENT, told)
    yield from differences(told, agreement, list(asker.scopes))
    yield from _foreign(asker.terms, json.dumps(told))


def _pages(asker: Asker) -> tuple[list[dict[str, Any]], str | None]:
    """Some pages of the agency's own records, newest first, and the first page's cursor."""
    pages = [asker.search({"limit": PAGE})]
    while pages[-1]["next"] and len(pages) < MOST_PAGES:
        pages.append(asker.search({"limit": PAGE, "cursor": pages[-1]["next"]}))
    return pages, pages[0]["next"]


def _records(asker: Asker, pages: list[dict[str, Any]]) -> Iterator[str]:
    terms = asker.terms
    records = [record for page in pages for record in page["records"]]
    if len({record["jti"] for record in records}) != len(records):
        yield "a record on two pages"
    plain = {name for names in opened(terms).values() for name, mask in names.items() if not mask}
    for record in records:
        others = record["outcome"] == "translated"  # by somebody of another agency, who is not told
        if (record["agency"], record["client"]) != (terms.agency, None if others else terms.client):
            yield "another agency's record"
        if others and (record["purpose"] or record.get("officer") or record.get("q")):
            yield "what the other agency said of itself"
        if FOR_AUDITORS & record.keys():
            yield "what auditors alone are told"
        by = (record.get("q") or {}).get("by")
        for member, (kind, names) in NUMBERS.items():
            if member in record and by != kind and not names & plain:
                yield "a number that was neither asked by nor opened"
