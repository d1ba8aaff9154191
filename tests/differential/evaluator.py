"""What must be on the wire, cell by cell: slow, obvious, and written from docs/contract.md alone.

It shares no code with the product but the names in `schemas/`; a test holds it to that.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.variables import CATALOGUE, Variable
from tests.differential.registry import Registry, Release, Row
from tests.differential.scope import Refusals, Scope
from tests.differential.worlds import TRANSLATE, Ask, Terms

Ids = Mapping[tuple[str, str, str], str]
"""The id by agency, kind (`i`, `k`) and number."""

HEAD = "1"
"""The code of the head of a family in `status_hubungan_keluarga`."""
SENSITIVITY = ("open", "quasi", "personal", "specific")


@dataclass
class Expected:
    """What the contract demands of one answer and of its record."""

    refused: Refusals = field(default_factory=Refusals)
    status: int = 200
    body: Any = None
    release: str = ""
    limited: bool = False
    charge: int = 0
    asked_charge: int = 0
    purpose: str | None = None
    people: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    asked_families: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    sensitivity: str | None = None
    outcome: str = "found"
    actor: str = "system"
    cells: int = 0
    partner: Terms | None = None
    """Of a translation that leaves: whose ids were shown; has a record of its own."""


class Evaluator(Scope):
    """Decides one request under one agreement."""

    def __init__(
        self,
        registry: Registry,
        ids: Ids,
        everybody: Sequence[Terms],
        restrictions: Mapping[str, str],
        ask: Ask,
    ) -> None:
        super().__init__(registry, everybody, restrictions, ask)
        self.ids = ids
        self.made = Expected()

    def decide(self) -> Expected:
        """The whole answer."""
        made = self.made
        made.refused = self.refusals()
        made.actor = self.actor
        made.release = self.registry.in_force
        if made.refused.codes:
            return made
        made.release = self.answering.id
        made.purpose = self.purpose_code
        limits = (self.terms.codes, self.terms.desil, self.terms.sets or None)
        made.limited = any(limit is not None for limit in limits)
        weight = max((each.weight for each in self.opened_by_agreement()), default=1)
        if self.ask.op.startswith("families."):
            self._family(self._number("k"))
        elif self.ask.op == "individuals.batch-lookup":
            self._batch()
        elif self.ask.op == TRANSLATE:
            self._translation()
        else:
            self._person(self._number("i"))
        made.asked_charge = weight * len(set(self.ask.subjects))
        made.charge = max(made.asked_charge, weight * len(made.people))
        return made

    # ---- what they show

    def _number(self, kind: str) -> str | None:
        """The NIK or KK that is asked for; None where an id is none of this agency's."""
        (text,) = self.ask.subjects
        if self.ask.call.number is not None:
            return text
        whose = {made: key for key, made in self.ids.items()}.get(text)
        if whose is None or whose[:2] != (self.terms.agency, kind):
            return None
        return whose[2]

    def _person(self, nik: str | None) -> None:
        made = self.made
        if nik is not None:
            made.asked.add(nik)
            made.reasons.append(self.sight(nik))
        if made.reasons != ["seen"] or nik is None:
            self._not_found()
            return
        told, hidden = self._told(nik)
        made.body = {"release": self.answering.id, "individual": told, "withheld": hidden}
        self._leaves(nik)

    def _batch(self) -> None:
        made = self.made
        results = []
        for nik in self.ask.subjects:
            if self.sight(nik) == "seen":
                told, hidden = self._told(nik)
                found = {"status": "found", "individual": told, "withheld": hidden}
                results.append({"nik": nik} | found)
                self._leaves(nik)
            else:
                results.append({"nik": nik, "status": "not_found"})
        distinct = list(dict.fromkeys(self.ask.subjects))
        made.asked |= set(distinct)
        made.reasons = [self.sight(nik) for nik in distinct]
        seen = made.reasons.count("seen")
        made.outcome = {0: "not_found", len(distinct): "found"}.get(seen, "partial")
        made.body = (
            results if self.ask.ndjson else {"release": self.answering.id, "results": results}
        )

    def _translation(self) -> None:
        """The caller's ids of whom it may see; of the others nothing is said or named."""
        made, results = self.made, []
        made.partner = self.partner()
        whose = {text: key for key, text in self.ids.items()}
        asked = {text: whose.get(text, ("", "", "")) for text in self.ask.subjects}
        people = {text: key[2] for text, key in asked.items() if key[:2] == (self.ask.source, "i")}
        for text in self.ask.subjects:
            nik = people.get(text)
            if nik is not None and self.sight(nik) == "seen":
                told = {"id": self.ids[self.terms.agency, "i", nik]}
                results.append({"id": text, "status": "found", "individual": told})
                made.people.add(nik)
            else:
                results.append({"id": text, "status": "not_found"})
        made.reasons = [self.sight(nik) for nik in dict.fromkeys(people.values())]
        seen = len({one["id"] for one in results if one["status"] == "found"})
        made.outcome = {0: "not_found", len(asked): "found"}.get(seen, "partial")
        made.cells += len(results)
        made.body = {"release": self.answering.id, "results": results}

    def _family(self, kk: str | None) -> None:
        made = self.made
        if kk is not None:
            made.asked_families.add(kk)
            made.reasons.append(self.family_sight(kk))
        if made.reasons != ["seen"] or kk is None:
            self._not_found()
            return
        members = []
        for nik in self.answering.members(kk):
            if self.sight(nik) == "seen":
                members.append(self._member(nik))
                made.people.add(nik)
        members.sort(key=shown_order)
        values, hidden = self._family_values(kk)
        own = self.ids[self.terms.agency, "k", kk]
        made.families.add(kk)
        made.body = {
            "release": self.answering.id,
            "family": {"id": own, **values, "members": members},
            "withheld": [*self._masked_but(hidden), *hidden],
        }
        self._record_left(self.effective("keluarga"))
        if any(self.restrictions.get(nik) != "limit" for nik in made.people):
            self._record_left(self.effective("anggota"))

    def _masked(self, variables: Sequence[Variable]) -> list[dict[str, str]]:
        return [withheld(each, "mask") for each in variables if self.mask(each)]

    def _masked_but(self, hidden: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        gone = {one["field"] for one in hidden}
        return [one for one in self._masked(self.effective()) if one["field"] not in gone]

    def _told(self, nik: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """A person with the family, and what is withheld of both."""
        person = self.answering.people[nik]
        told = {"id": self.ids[self.terms.agency, "i", nik], "status": self._status(nik)}
        if self.restrictions.get(nik) == "limit":
            told["keluarga"] = None
            return told, [withheld(each, "restricted") for each in self.effective()]
        told |= self._values(person, self.effective("anggota"))
        kk = person["nomor_kartu_keluarga"]
        if kk is None:
            return told | {"keluarga": None}, self._masked_but(())
        values, hidden = self._family_values(kk)
        told["keluarga"] = {"id": self.ids[self.terms.agency, "k", kk]} | values
        return told, [*self._masked_but(hidden), *hidden]

    def _member(self, nik: str) -> dict[str, Any]:
        told = {"id": self.ids[self.terms.agency, "i", nik], "status": self._status(nik)}
        if self.restrictions.get(nik) == "limit":
            hidden = [withheld(each, "restricted") for each in self.effective("anggota")]
            return told | ({"withheld": hidden} if hidden else {})
        return told | self._values(self.answering.people[nik], self.effective("anggota"))

    def _family_values(self, kk: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """A family's variables, in none of which a person under `hide` or `limit` shows."""
        family = dict(self.answering.families.get(kk, {}))
        kinds = {nik: self.restrictions.get(nik) for nik in self.answering.members(kk)}
        counted = family.get("jumlah_anggota_keluarga")
        if counted is not None:
            gone = list(kinds.values()).count("hide")
            family["jumlah_anggota_keluarga"] = max(0, counted - gone)
        values = self._values(family, self.effective("keluarga"))
        named_head = {kinds[nik] for nik in kinds if is_head(self.answering, nik, family)}
        if "nama_anggota_keluarga" not in values:
            return values, []
        if "hide" in named_head:
            values["nama_anggota_keluarga"] = None
        elif "limit" in named_head:
            del values["nama_anggota_keluarga"]
            return values, [withheld(CATALOGUE["keluarga.nama_anggota_keluarga"], "restricted")]
        return values, []

    def _values(self, row: Row, variables: Sequence[Variable]) -> dict[str, Any]:
        self.made.cells += len(variables)
        return {each.name: masked(row.get(each.name), self.mask(each)) for each in variables}

    def _status(self, nik: str) -> dict[str, Any]:
        person = self.answering.people[nik]
        status: dict[str, Any] = {"record": person["record_state"]}
        if self.restrictions.get(nik) == "mark":
            status["restriction"] = "correction"
        status["update"] = None
        if person["update_state"] is not None:
            said = {"hold": person["update_hold"], "since": person["update_since"]}
            told = {name: value for name, value in said.items() if value is not None}
            status["update"] = {"state": person["update_state"]} | told
        return status

    # ---- what is on record

    def _not_found(self) -> None:
        self.made.status = 404
        self.made.outcome = "not_found"

    def _leaves(self, nik: str) -> None:
        """A person leaves, and with an open one the family."""
        self.made.people.add(nik)
        kk = self.answering.people[nik]["nomor_kartu_keluarga"]
        if self.restrictions.get(nik) == "limit":
            return
        if kk is not None:
            self.made.families.add(kk)
        self._record_left(self.effective())

    def _record_left(self, variables: Sequence[Variable]) -> None:
        left = self.made.left
        left += [each.qualified for each in variables if each.qualified not in left]
        classes = [CATALOGUE[name].sensitivity for name in left]
        self.made.sensitivity = max(classes, key=SENSITIVITY.index, default=None)


def shown_order(member: Mapping[str, Any]) -> tuple[bytes, str]:
    """Members stand in the order of what is shown of them: it tells nothing else."""
    besides = ("id", "status", "withheld")
    values = {name: value for name, value in member.items() if name not in besides}
    shown = json.dumps([values, member["status"]], ensure_ascii=False, separators=(",", ":"))
    return shown.encode(), member["id"]


def withheld(variable: Variable, reason: str) -> dict[str, str]:
    """One entry of `withheld`."""
    return {"field": variable.qualified, "reason": reason}


def masked(value: Any, mask: str | None) -> Any:
    """A value under a mask (docs/variables.md); an unknown one stays unknown."""
    if value is None or mask is None:
        return value
    if mask == "initials":
        return " ".join(f"{word[0]}." for word in value.split())
    if mask == "year_only":
        return value[:4]
    if mask == "first_6":
        return value[:6] + "*" * (len(value) - 6)
    return "1-4" if value <= 4 else "5-7" if value <= 7 else "8-10"


def is_head(release: Release, nik: str, family: Row) -> bool:
    """Whether a family's `nama_anggota_keluarga` names this member."""
    person = release.people[nik]
    name = family.get("nama_anggota_keluarga")
    return person["status_hubungan_keluarga"] == HEAD or (
        name is not None and person["nama"] == name
    )
