"""Holds the record of an answer against the evaluator, and its leaf against the documented form."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.differential.evaluator import Expected
from tests.differential.house import Wire
from tests.differential.leak import Leak, same
from tests.differential.worlds import TRANSLATE, Terms

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "auditors" / "record-format.md"
_RECEIPT = re.compile(r'"([0-9a-f-]{36})";leaf=:([A-Za-z0-9+/]{43}=):')
_MEMBER = re.compile(r"^\| `(\w+)` \| (clear|personal) \|", re.MULTILINE)
_OF_AN_ANSWER = frozenset(
    {"v", "jti", "iat", "typ", "op", "outcome", "status", "n", "agency", "client", "actor"}
    | {"purpose", "legal_basis", "agreement", "agreement_version", "plan", "ds", "sens"}
    | {"node", "sw", "ek", "_sd", "_sd_alg"}
)
"""Clear members of every leaf about an answer; other kinds of records have more."""

DOCUMENTED = dict(_MEMBER.findall(FORMAT.read_text()))
CLEAR = {name for name, kind in DOCUMENTED.items() if kind == "clear"} & _OF_AN_ANSWER
PERSONAL = {name for name, kind in DOCUMENTED.items() if kind == "personal"}


def judge_record(terms: Terms, version: int, wire: Wire, expected: Expected) -> None:
    """The record of one answer.

    Raises:
        Leak: it says something else than the answer, or its leaf more than it may.
    """
    receipt = _RECEIPT.fullmatch(wire.header("dtsen-access-record") or "")
    record, opened = wire.record, wire.opened
    if receipt is None or record is None or wire.keys is None:
        raise Leak("no record of an answer")
    leaf = hashlib.sha256(b"\x00" + record["leaf"]).digest()
    same("leaf", receipt[2], base64.b64encode(leaf).decode())
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
    same("columns", {name: record[name] for name in told}, told)
    same("leaf", {name: clear[name] for name in told}, told)
    same("release", (record["release"], clear["ds"]), (expected.release,) * 2)
    count = len(expected.people)
    same("people", (record["people"], clear["n"]), (count, count))
    same("sensitivity", clear["sens"], expected.sensitivity)
    named_people = expected.asked | expected.people
    named_families = expected.asked_families | expected.families
    same("subject", sorted(opened["subject"]), sorted(named_people))
    same("subject_kk", sorted(opened["subject_kk"]), sorted(named_families))
    same("fields", sorted(opened["fields"] or []), sorted(expected.left))
    same("reason", opened["reason"] or [], expected.reasons)
    keys = wire.keys
    if wire.ask.spoil != "bad-header":
        said = wire.ask.said
        same("actor", clear["actor"], expected.actor)
        for name, kind in (("officer", "officer"), ("case_ref", "case")):
            same(name, opened[name], said.get(name))
            index = keys.index(kind, f"{terms.agency}|{said[name]}") if name in said else None
            same(f"index of {name}", record[name], index)
    same("digest", opened["resp_hash"], keys.answer_digest(record["id"], wire.body))
    same("index", record["subjects"], keys.packed("nik", named_people))
    same("index", record["families"], keys.packed("kk", named_families))
    counterparty = wire.ask.source if expected.partner is not None else None
    _form(clear, opened, counterparty)


def judge_companion(theirs: tuple[Terms, int], mine: Terms, wire: Wire, expected: Expected) -> None:
    """The one record that the agency has whose ids were translated.

    Raises:
        Leak: there is none, there are several, or it says anything but that it was done.
    """
    terms, version = theirs
    same("records of the other agency", len(wire.companions), 1)
    (companion,) = wire.companions
    row, clear, opened = companion.row, companion.clear, companion.opened
    told = {
        "typ": "read",
        "op": TRANSLATE,
        "status": 200,
        "agency": terms.agency,
        "client": None,
        "purpose": None,
        "agreement": terms.number,
        "agreement_version": version,
        "outcome": "translated",
    }
    same("columns of the other's", {name: row[name] for name in told}, told)
    same("leaf of the other's", {name: clear[name] for name in told}, told)
    told = {"n": len(expected.people), "ds": expected.release, "sens": None, "plan": None}
    told |= {"legal_basis": []}
    same("more of the other's", {name: clear[name] for name in told}, told)
    same("people of the other's", row["people"], len(expected.people))
    same("index of the other's", (row["subjects"], row["families"]), (b"", b""))
    same("words of the other's", (row["officer"], row["case_ref"]), (None, None))
    same("names in the other's", {k for k, value in opened.items() if value}, set())
    _form(clear, opened, mine.agency)


def _form(clear: Mapping[str, Any], opened: Mapping[str, Any], counterparty: str | None) -> None:
    """A leaf has the members of the documented form, and of personal ones a digest each, always."""
    awaited = CLEAR | ({"counterparty"} if counterparty is not None else set())
    same("members of a leaf", set(clear), awaited)
    same("counterparty", clear.get("counterparty"), counterparty)
    same("personal members", set(opened), PERSONAL)
    same("digests", (len(clear["_sd"]), clear["_sd"]), (len(PERSONAL), sorted(clear["_sd"])))
