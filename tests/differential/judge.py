"""Holds the wire against the evaluator: body, status, headers, ids, tags, charges, record."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.differential.evaluator import Expected
from tests.differential.house import Wire, accepted
from tests.differential.spending import Leak, Spending, policies
from tests.differential.worlds import SECRET, Terms

ALWAYS = {
    "content-type",
    "cache-control",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "dtsen-access-record",
    "dtsen-release",
    "ratelimit-policy",
    "ratelimit",
}
PROBLEM = {"type", "title", "status", "detail", "instance", "errors"}
OF_ABSENCE = {"release", "scope", "causes", "next_steps"}
_RECEIPT = re.compile(r'"([0-9a-f-]{36})";leaf=:([A-Za-z0-9+/]{43}=):')
_POINTER = re.compile(r"(/(nik|niks|nomor_kartu_keluarga|fields|as_of)(/[0-9]+)?)?")


@dataclass
class Judge:
    """Judges every answer of a campaign, and remembers what must stay the same."""

    issuer: str
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    tags: dict[tuple[str, bytes], str] = field(default_factory=dict)
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    spending: Spending = field(default_factory=Spending)
    cases: int = 0
    cells: int = 0
    own: int = 0

    def answer(self, terms: Terms, version: int, wire: Wire, expected: Expected) -> None:
        """One answer and its record.

        Raises:
            Leak: they differ from what was expected.
        """
        self.cases += 1
        self.cells += expected.cells
        if expected.refused.codes:
            self._refusal(wire, expected)
        elif expected.status == 404:
            self._absence(wire, expected)
        else:
            self._found(terms, wire, expected)
        self._headers(wire)
        self._limits(terms, wire, expected)
        self._record(terms, version, wire, expected)

    # ---- bodies

    def _found(self, terms: Terms, wire: Wire, expected: Expected) -> None:
        self._same("status", wire.status, expected.status)
        if wire.ask.op == "individuals.get":
            self._tag(terms.agency, wire)
        if wire.status == 304:
            self._same("body of a 304", wire.body, b"")
            return
        if wire.ask.ndjson and wire.ask.op == "individuals.batch-lookup":
            self._same("last line", wire.body[-1:], b"\n")
            told: Any = [strict(line) for line in wire.body.splitlines()]
        else:
            told = strict(wire.body)
        self._same("body", sorted_withheld(told), sorted_withheld(expected.body))

    def _tag(self, agency: str, wire: Wire) -> None:
        """One tag for one body, and no tag for two; none shared by agencies."""
        tag = wire.header("etag")
        if tag is None or re.fullmatch(r'"[!#-~]+"', tag) is None:
            raise Leak(f"no entity tag: {tag}")
        if wire.status == 304:
            self._same("agency of a tag", self.bodies[tag][0], agency)
            return
        self._same("tag of a body", tag, self.tags.setdefault((agency, wire.body), tag))
        held = self.bodies.setdefault(tag, (agency, wire.body))
        self._same("body of a tag", (agency, wire.body), held)

    def _absence(self, wire: Wire, expected: Expected) -> None:
        told = self._problem(wire, 404, "subject-not-found", PROBLEM | OF_ABSENCE)
        self._same("release", told["release"], expected.release)
        self._same("scope", told["scope"], "agreement" if expected.limited else "national")
        self._same("errors", told["errors"], [])
        for name in ("causes", "next_steps"):
            self._text(wire, name, told[name])

    def _refusal(self, wire: Wire, expected: Expected) -> None:
        told = strict(wire.body)
        code = str(told["type"]).rpartition("/")[2]
        if (wire.status, code) not in expected.refused.codes:
            raise Leak(f"{wire.status} {code} and not one of {expected.refused.codes}")
        self._problem(wire, wire.status, code, PROBLEM)
        if code == "field-not-permitted":
            listed = [(one["pointer"], one["field"]) for one in told["errors"]]
            self._same("refused fields", listed, expected.refused.fields)
        else:
            for error in told["errors"]:
                self._error(error, code)
        self._no_echo(wire)

    def _problem(self, wire: Wire, status: int, code: str, members: set[str]) -> dict[str, Any]:
        told: dict[str, Any] = strict(wire.body)
        self._same("members", set(told), members)
        self._same("status", (wire.status, told["status"]), (status, status))
        self._same("type", told["type"], f"{self.issuer}/problems/{code}")
        receipt = wire.header("dtsen-access-record") or ""
        self._same("instance", told["instance"], f"urn:uuid:{receipt[1:37]}")
        for name in ("title", "detail"):
            self._text(wire, f"{code}/{name}", told[name])
        return told

    def _text(self, wire: Wire, name: str, text: object) -> None:
        """A text is the same in every answer of a language: it depends on nobody's data."""
        key = (name, "en" if wire.ask.english else "id")
        self._same(name, json.dumps(text), self.texts.setdefault(key, json.dumps(text)))

    def _error(self, error: Mapping[str, Any], code: str) -> None:
        if code == "malformed-header":
            self._same("header", error["field"], "dtsen-actor")
        else:
            self._same("members of an error", set(error), {"pointer", "code"})
        if _POINTER.fullmatch(error["pointer"]) is None:
            raise Leak("a pointer to something else")

    def _no_echo(self, wire: Wire) -> None:
        ask = wire.ask
        said = [SECRET, *ask.subjects, *([ask.purpose] if ask.purpose else [])]
        for text in said:
            if len(text) > 5 and text.lower().encode() in wire.body.lower():
                raise Leak("an error repeats what the caller sent")

    # ---- headers

    def _headers(self, wire: Wire) -> None:
        names = [name for name, _ in wire.headers]
        awaited = set(ALWAYS)
        if wire.status != 304:
            awaited.add("content-length")
            self._same("length", wire.header("content-length"), str(len(wire.body)))
        if wire.ask.op == "individuals.get" and wire.status in {200, 304}:
            awaited.add("etag")
        if wire.status == 403 and b"insufficient-scope" in wire.body:
            awaited.add("www-authenticate")
            challenge = f'Bearer error="insufficient_scope", scope="{wire.ask.call.scope}"'
            self._same("challenge", wire.header("www-authenticate"), challenge)
        self._same("header names", sorted(names), sorted(awaited))
        said = accepted(wire.ask) if wire.ask.op == "individuals.batch-lookup" else None
        usual = said if said and wire.status == 200 else "application/json"
        problem = "application/problem+json"
        self._same("type", wire.header("content-type"), problem if wire.status >= 400 else usual)
        self._same("cache", wire.header("cache-control"), "no-store")

    def _limits(self, terms: Terms, wire: Wire, expected: Expected) -> None:
        """Announced limits are the agreement's; what is left is held against `spending`."""
        policy = policies(wire.header("ratelimit-policy"))
        awaited = {"burst": terms.per_second, "requests-minute": 60 * terms.per_second}
        if expected.charge:
            awaited["people-day"] = terms.per_day
            if terms.per_month is not None:
                awaited["people-month"] = terms.per_month
        self._same("policy", {name: one["q"] for name, one in policy.items()}, awaited)
        left = policies(wire.header("ratelimit"))
        self._same("limits", set(left), set(awaited))
        for name, one in left.items():
            if not 0 <= one["r"] <= policy[name]["q"]:
                raise Leak(f"{name}: more is left than there is")

    # ---- records

    def _record(self, terms: Terms, version: int, wire: Wire, expected: Expected) -> None:
        receipt = _RECEIPT.fullmatch(wire.header("dtsen-access-record") or "")
        record, opened = wire.record, wire.opened
        if receipt is None or record is None or wire.keys is None:
            raise Leak("no record of an answer")
        leaf = hashlib.sha256(b"\x00" + record["leaf"]).digest()
        self._same("leaf", receipt[2], base64.b64encode(leaf).decode())
        clear = record["clear"]
        refused = bool(expected.refused.codes)
        told = {
            "typ": "denied" if refused else "read",
            "op": wire.ask.op,
            "status": wire.status,
            "agency": terms.agency,
            "client": terms.client,
            "agreement": terms.number,
            "agreement_version": version,
            "outcome": "invalid" if refused else expected.outcome,
        }
        if not refused:
            told["purpose"] = expected.purpose
        self._same("columns", {name: record[name] for name in told}, told)
        self._same("leaf", {name: clear[name] for name in told}, told)
        self._same("release", (record["release"], clear["ds"]), (expected.release,) * 2)
        count = len(expected.people)
        self._same("people", (record["people"], clear["n"]), (count, count))
        self._same("sensitivity", clear["sens"], expected.sensitivity)
        named_people = expected.asked | expected.people
        named_families = expected.asked_families | expected.families
        self._same("subject", sorted(opened["subject"]), sorted(named_people))
        self._same("subject_kk", sorted(opened["subject_kk"]), sorted(named_families))
        self._same("fields", sorted(opened["fields"] or []), sorted(expected.left))
        self._same("reason", opened["reason"] or [], expected.reasons)
        keys = wire.keys
        self._same("digest", opened["resp_hash"], keys.answer_digest(record["id"], wire.body))
        self._same("index", record["subjects"], keys.packed("nik", named_people))
        self._same("index", record["families"], keys.packed("kk", named_families))

    def _same(self, what: str, found: object, awaited: object) -> None:
        if found != awaited or type(found) is not type(awaited):
            raise Leak(f"{what}: found {found!r}, awaited {awaited!r}")


def strict(text: bytes) -> Any:
    """JSON without repeated members."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Leak("a member twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError:
        raise Leak("another form than the one expected") from None


def sorted_withheld(told: Any) -> str:
    """A body as text, members of objects and `withheld` (which has no order) sorted."""
    if isinstance(told, dict):
        return (
            "{"
            + ", ".join(
                f"{name}: {sorted(map(sorted_withheld, value))}"
                if name == "withheld"
                else f"{name}: {sorted_withheld(value)}"
                for name, value in sorted(told.items())
            )
            + "}"
        )
    if isinstance(told, list):
        return f"[{', '.join(map(sorted_withheld, told))}]"
    return json.dumps(told)
