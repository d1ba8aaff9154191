"""Leaks planted in the product, one at a time: the differential must find each."""

import hashlib
import json
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from api.absence import absent as absence
from api.v1 import families, individuals
from auth.guard import Guard
from dtsen import individuals as reference
from dtsen.disclosure import entry, mandate, plan, reading, rows, sighting
from dtsen.disclosure.authority import AgreementInForce
from dtsen.disclosure.gate import Gate
from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.disclosure.question import Answer, Question
from dtsen.disclosure.rows import RowFilter
from dtsen.errors import Fault, InvalidRequest
from schemas.scopes import groups_opened
from schemas.variables import GROUPS
from tests.differential.registry import Registry
from tests.differential.worlds import AGENCIES

Plant = Callable[[pytest.MonkeyPatch, Registry], None]

PLANTS: dict[str, Plant] = {}
"""Every planted leak by what it does."""


def planted(plant: Plant) -> Plant:
    PLANTS[plant.__name__] = plant
    return plant


@planted
def a_mask_is_skipped_in_ndjson(patch: pytest.MonkeyPatch, registry: Registry) -> None:
    original = individuals._many

    def many(call: Any, niks: Any) -> Any:
        render = original(call, niks)

        def told(mandate: Any, seen: Any) -> Any:
            made = render(mandate, seen)
            if call.media_type != individuals.NDJSON:
                return made
            results = [_unmasked(json.loads(line), registry) for line in made.body.splitlines()]
            body = b"".join(orjson.dumps(result) + b"\n" for result in results)
            return made._replace(body=body)

        return told

    patch.setattr(individuals, "_many", many)


def _unmasked(result: dict[str, Any], registry: Registry) -> dict[str, Any]:
    person = registry.releases[registry.in_force].people.get(result["nik"], {})
    for one in result.get("withheld", []):
        unit, _, name = one["field"].partition(".")
        if unit == "anggota" and one["reason"] == "mask":
            result["individual"][name] = person[name]
    return result


@planted
def fields_are_not_narrowed(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(sighting, "_values", lambda own, *_: orjson.loads(own) if own else {})


@planted
def a_hidden_member_is_counted(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setitem(plan._TELLING, plan.COUNT, "{column}")


@planted
def a_hidden_head_is_named(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setitem(plan._TELLING, plan.HEAD_NAME, "{column}")


@planted
def hidden_people_are_only_limited(patch: pytest.MonkeyPatch, _: Registry) -> None:
    shown = plan._PERSON.replace("WHEN r.kind = 'hide' THEN 'hidden'", "WHEN false THEN 'hidden'")
    patch.setattr(plan, "_PERSON", shown)


@planted
def a_limited_value_is_kept(patch: pytest.MonkeyPatch, _: Registry) -> None:
    kept = plan._PERSON.replace("r.kind = 'mark'", "r.kind IN ('mark', 'limit')")
    patch.setattr(plan, "_PERSON", kept)
    patch.setattr(sighting, "_open", lambda row: row["sight"] == "seen")


@planted
def a_tag_is_made_of_unmasked_data(patch: pytest.MonkeyPatch, registry: Registry) -> None:
    def tag(self: PairwiseIds, agency: str, body: bytes) -> str:
        nik = self.resolve(agency, Kind.INDIVIDUAL, json.loads(body)["individual"]["id"])
        row = registry.releases[registry.in_force].people[str(nik)]
        return hashlib.sha256(f"{agency}{row}".encode()).hexdigest()

    patch.setattr(PairwiseIds, "tag", tag)


@planted
def a_family_is_read_by_another_plan(patch: pytest.MonkeyPatch, _: Registry) -> None:
    """And the second check, which would refuse its members, is gone too."""
    original = reading.Packs.place
    held: dict[int, Any] = {}

    def place(self: reading.Packs, source: reading.Source) -> tuple[int, int]:
        if source.what == "family":
            source = held.setdefault(source.ordinal, source)
        return original(self, source)

    patch.setattr(reading.Packs, "place", place)
    patch.setattr(sighting, "_values", lambda own, *_: orjson.loads(own) if own else {})


@planted
def either_bound_of_a_decile_is_enough(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = RowFilter.desil_sql
    patch.setattr(
        RowFilter,
        "desil_sql",
        lambda self, column: original(self, column).replace(" AND ", " OR "),
    )


@planted
def region_or_decile_is_enough(patch: pytest.MonkeyPatch, _: Registry) -> None:
    def either(self: plan.Plan, prefix: str, _: str) -> str:
        return f"({self.rows.wilayah_sql(prefix)} OR {self.rows.desil_sql(prefix)})"

    patch.setattr(plan.Plan, "_rows", either)
    patch.setattr(
        plan.Plan,
        "_sight",
        lambda self, prefix, sets: (
            f"WHEN {either(self, prefix, sets)} IS NOT TRUE THEN 'outside_wilayah'"
        ),
    )


@planted
def a_set_of_values_is_ignored(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(RowFilter, "sets_sql", lambda _self, _column: "true")


@planted
def a_region_is_told_by_its_own_code_alone(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(rows, "_nested", lambda _prefix, _length: "")


@planted
def the_group_of_a_token_is_ignored(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = groups_opened

    def opened(scopes: Any, operation: str) -> frozenset[Any]:
        return frozenset(GROUPS) if original(scopes, operation) else frozenset()

    patch.setattr(mandate, "groups_opened", opened)


@planted
def another_purpose_opens_its_variables(patch: pytest.MonkeyPatch, _: Registry) -> None:
    def first(self: AgreementInForce, _: str, operation: str) -> plan.Plan:
        return plan.compile_plan(self.terms, min(self.terms.purposes), operation)

    patch.setattr(AgreementInForce, "plan", first)


@planted
def an_error_names_a_value(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = reference.effective

    def effective(mandate: Any, fields: Any) -> Any:
        try:
            return original(mandate, fields)
        except InvalidRequest as refusal:
            named = [Fault(one.pointer, one.code, str(fields)) for one in refusal.faults]
            raise InvalidRequest(faults=named) from None

    patch.setattr(reference, "effective", effective)


@planted
def agencies_share_their_ids(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = PairwiseIds._derive
    patch.setattr(
        PairwiseIds,
        "of",
        lambda self, _, version, kind, number: _sealed(
            original(self, AGENCIES[0], version, kind), kind, version, number
        ),
    )


def _sealed(cipher: Any, kind: Kind, version: str, number: str) -> str:
    return f"{kind}{version}-{cipher.encrypt(number.encode(), None).hex()}"


@planted
def the_id_of_another_agency_resolves(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = PairwiseIds.resolve

    def resolve(self: PairwiseIds, _: str, kind: Kind, text: str) -> str | None:
        return original(self, AGENCIES[0], kind, text) or original(self, AGENCIES[1], kind, text)

    patch.setattr(PairwiseIds, "resolve", resolve)


@planted
def absence_tells_its_reason_in_a_header(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = absence

    def absent(call: Any, mandate: Any, seen: Any) -> Any:
        made = original(call, mandate, seen)
        outside = any(sight.startswith("outside") for sight in seen.sights.values())
        return made._replace(headers={"Vary": "Accept"} if outside else {})

    patch.setattr(individuals, "absent", absent)


@planted
def absence_is_national_where_nobody_is_hidden(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(plan.Plan, "limited", property(lambda self: self.rows.wilayah is not None))


@planted
def a_family_that_is_missing_is_free(patch: pytest.MonkeyPatch, _: Registry) -> None:
    charged: dict[int, Any] = {}
    charge_people = Guard.charge_people

    async def charge(self: Guard, admitted: Any, asked: Any, people: int, **paid: int) -> Any:
        made = await charge_people(self, admitted, asked, people, **paid)
        charged[id(admitted)] = made
        return made

    def refunded(call: Any, mandate: Any, seen: Any) -> Any:
        charged[id(call.admitted)].refund()
        return absence(call, mandate, seen)

    patch.setattr(Guard, "charge_people", charge)
    patch.setattr(families, "absent", refunded)


@planted
def the_members_of_a_family_are_free(patch: pytest.MonkeyPatch, _: Registry) -> None:
    answer = Gate.answer

    async def unpaid(self: Gate, question: Question) -> Answer:
        return await answer(self, replace(question, paid=None))

    patch.setattr(Gate, "answer", unpaid)


@planted
def found_people_come_first(patch: pytest.MonkeyPatch, registry: Registry) -> None:
    original = individuals._many
    known = registry.releases[registry.in_force].people
    patch.setattr(
        individuals,
        "_many",
        lambda call, niks: original(call, sorted(niks, key=lambda nik: nik not in known)),
    )


@planted
def members_come_in_the_order_of_their_niks(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(sighting, "_shown_order", operator.attrgetter("nik"))


@planted
def a_mask_is_not_told(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = sighting._Viewer.__init__

    def made(self: Any, *parts: Any) -> None:
        original(self, *parts)
        self._withheld_by_mask = []

    patch.setattr(sighting._Viewer, "__init__", made)


@planted
def members_of_a_family_are_not_on_record(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(entry, "_people", lambda seen: list(seen.people))
