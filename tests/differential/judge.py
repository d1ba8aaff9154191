"""Holds the wire against the evaluator: body, status, headers, ids, tags, charges, record."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.differential.evaluator import Expected
from tests.differential.house import Wire
from tests.differential.leak import Leak, same, strict
from tests.differential.records import judge_companion, judge_record
from tests.differential.sending import accepted
from tests.differential.spending import Spending, policies
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
_POINTER = re.compile(r"(/(nik|niks|nomor_kartu_keluarga|fields|as_of|ids|from)(/[0-9]+)?)?")


@dataclass
class Judge:
    """Judges every answer of a campaign, and remembers what must stay the same."""

    issuer: str
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    tags: dict[tuple[str, bytes], str] = field(default_factory=dict)
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    spending: Spending = field(default_factory=Spending)
    digests: set[str] = field(default_factory=set)
    cases: int = 0
    cells: int = 0
    own: int = 0
    proofs: int = 0

    def answer(
        self, everybody: Sequence[Terms], versions: Sequence[int], wire: Wire, expected: Expected
    ) -> None:
        """One answer and its record.

        Raises:
            Leak: they differ from what was expected.
        """
        terms, version = everybody[wire.ask.agency], versions[wire.ask.agency]
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
        judge_record(terms, version, wire, expected)
        if expected.partner is not None:
            theirs = expected.partner, versions[everybody.index(expected.partner)]
            judge_companion(theirs, terms, wire, expected)
        elif wire.companions:
            raise Leak("another agency has a record of what was no translation")
        self._digests(wire)

    # ---- bodies

    def _found(self, terms: Terms, wire: Wire, expected: Expected) -> None:
        same("status", wire.status, expected.status)
        if wire.ask.op == "individuals.get":
            self._tag(terms.agency, wire)
        if wire.status == 304:
            same("body of a 304", wire.body, b"")
            return
        if wire.ask.ndjson and wire.ask.op == "individuals.batch-lookup":
            same("last line", wire.body[-1:], b"\n")
            told: Any = [strict(line) for line in wire.body.splitlines()]
        else:
            told = strict(wire.body)
        same("body", sorted_withheld(told), sorted_withheld(expected.body))

    def _tag(self, agency: str, wire: Wire) -> None:
        """One tag for one body, and no tag for two; none shared by agencies."""
        tag = wire.header("etag")
        if tag is None or re.fullmatch(r'"[!#-~]+"', tag) is None:
            raise Leak(f"no entity tag: {tag}")
        if wire.status == 304:
            same("agency of a tag", self.bodies[tag][0], agency)
            return
        same("tag of a body", tag, self.tags.setdefault((agency, wire.body), tag))
        held = self.bodies.setdefault(tag, (agency, wire.body))
        same("body of a tag", (agency, wire.body), held)

    def _absence(self, wire: Wire, expected: Expected) -> None:
        told = self._problem(wire, 404, "subject-not-found", PROBLEM | OF_ABSENCE)
        same("release", told["release"], expected.release)
        same("scope", told["scope"], "agreement" if expected.limited else "national")
        same("errors", told["errors"], [])
        for name in ("causes", "next_steps"):
            self._text(wire, name, told[name])

    def _refusal(self, wire: Wire, expected: Expected) -> None:
        told = strict(wire.body)
        code = str(told.get("type")).rpartition("/")[2]
        if (wire.status, code) not in expected.refused.codes:
            raise Leak(f"{wire.status} {code} and not one of {expected.refused.codes}")
        self._problem(wire, wire.status, code, PROBLEM)
        if code == "field-not-permitted":
            listed = [(one["pointer"], one["field"]) for one in told["errors"]]
            same("refused fields", listed, expected.refused.fields)
        else:
            for error in told["errors"]:
                self._error(error, code)
        self._no_echo(wire)

    def _problem(self, wire: Wire, status: int, code: str, members: set[str]) -> dict[str, Any]:
        told: dict[str, Any] = strict(wire.body)
        same("members", set(told), members)
        same("status", (wire.status, told["status"]), (status, status))
        same("type", told["type"], f"{self.issuer}/problems/{code}")
        receipt = wire.header("dtsen-access-record") or ""
        same("instance", told["instance"], f"urn:uuid:{receipt[1:37]}")
        for name in ("title", "detail"):
            self._text(wire, f"{code}/{name}", told[name])
        return told

    def _text(self, wire: Wire, name: str, text: object) -> None:
        """A text is the same in every answer of a language: it depends on nobody's data."""
        key = (name, "en" if wire.ask.english else "id")
        same(name, json.dumps(text), self.texts.setdefault(key, json.dumps(text)))

    def _error(self, error: Mapping[str, Any], code: str) -> None:
        if code == "malformed-header":
            same("header", error["field"], "dtsen-actor")
        else:
            same("members of an error", set(error), {"pointer", "code"})
        if _POINTER.fullmatch(error["pointer"]) is None:
            raise Leak("a pointer to something else")

    def _no_echo(self, wire: Wire) -> None:
        ask = wire.ask
        words = [text for name, text in ask.said.items() if name != "actor"]
        said = [SECRET, *ask.subjects, *words, *([ask.purpose] if ask.purpose else [])]
        for text in said:
            if len(text) > 5 and text.lower().encode() in wire.body.lower():
                raise Leak("an error repeats what the caller sent")

    def _digests(self, wire: Wire) -> None:
        """No two members of any records share a digest: by one, nobody tells equal values."""
        leaves = [wire.record["clear"]] if wire.record else []
        made = [
            one for leaf in [*leaves, *(c.clear for c in wire.companions)] for one in leaf["_sd"]
        ]
        if len(set(made)) != len(made) or not self.digests.isdisjoint(made):
            raise Leak("two members have one digest")
        self.digests.update(made)

    # ---- headers

    def _headers(self, wire: Wire) -> None:
        names = [name for name, _ in wire.headers]
        awaited = set(ALWAYS)
        if wire.status != 304:
            awaited.add("content-length")
            same("length", wire.header("content-length"), str(len(wire.body)))
        if wire.ask.op == "individuals.get" and wire.status in {200, 304}:
            awaited.add("etag")
        if wire.status == 403 and b"insufficient-scope" in wire.body:
            awaited.add("www-authenticate")
            challenge = f'Bearer error="insufficient_scope", scope="{wire.ask.call.scope}"'
            same("challenge", wire.header("www-authenticate"), challenge)
        same("header names", sorted(names), sorted(awaited))
        said = accepted(wire.ask) if wire.ask.op == "individuals.batch-lookup" else None
        usual = said if said and wire.status == 200 else "application/json"
        problem = "application/problem+json"
        same("type", wire.header("content-type"), problem if wire.status >= 400 else usual)
        same("cache", wire.header("cache-control"), "no-store")

    def _limits(self, terms: Terms, wire: Wire, expected: Expected) -> None:
        """Announced limits are the agreement's; what is left is held against `spending`."""
        policy = policies(wire.header("ratelimit-policy"))
        awaited = {"burst": terms.per_second, "requests-minute": 60 * terms.per_second}
        if expected.charge:
            awaited["people-day"] = terms.per_day
            if terms.per_month is not None:
                awaited["people-month"] = terms.per_month
        same("policy", {name: one["q"] for name, one in policy.items()}, awaited)
        left = policies(wire.header("ratelimit"))
        same("limits", set(left), set(awaited))
        for name, one in left.items():
            if not 0 <= one["r"] <= policy[name]["q"]:
                raise Leak(f"{name}: more is left than there is")


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
