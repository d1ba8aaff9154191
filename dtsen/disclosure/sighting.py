"""From rows to what a mandate may see: pure, and the second place that enforces scope.

The SQL of a plan decides what is selected; here a row that carries a member which its plan does not
name is refused outright, and `fields` and the token's groups may only narrow what came.
"""

from collections.abc import Iterator, Mapping, Sequence

import asyncpg
import orjson

from dtsen.disclosure.mandate import Mandate
from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.disclosure.plan import HEAD_NAME, Plan
from dtsen.disclosure.question import Family, Fate, Person, Seen, Sight, Want, Withheld
from dtsen.disclosure.reading import Rows, Source
from schemas.variables import Variable


class ForeignMember(RuntimeError):
    """A row carries a member that its plan does not name. A defect: nothing may leave."""


def sources(want: Want, plan: Plan) -> dict[Source, tuple[str, ...]]:
    """What the first read of a want needs."""
    ordinal = want.release.ordinal
    needed = {}
    if want.niks:
        needed[Source("nik", ordinal, plan)] = want.niks
    if want.kks:
        needed[Source("family", ordinal, plan)] = want.kks
        needed[Source("kk", ordinal, plan)] = want.kks
    return needed


def family_source(want: Want, plan: Plan, rows: Rows) -> dict[Source, tuple[str, ...]]:
    """What the second read of a want needs: families of the people seen, if the plan opens them."""
    if not (want.niks and want.opened.family and plan.reads_family):
        return {}
    found = rows[Source("nik", want.release.ordinal, plan)]
    kks = {row["kk"] for of_key in found.values() for row in of_key if row["kk"] and _open(row)}
    return {Source("family", want.release.ordinal, plan): tuple(kks)} if kks else {}


def sight(want: Want, mandate: Mandate, plan: Plan, rows: Rows, ids: PairwiseIds) -> Seen:
    """What the mandate sees of what it wanted."""
    viewer = _Viewer(want, mandate, plan, ids)
    ordinal = want.release.ordinal
    families = {
        key: of_key[0] for key, of_key in rows.get(Source("family", ordinal, plan), {}).items()
    }
    seen = Seen(want.release, finding=want.finding)
    if want.niks:
        viewer.people(rows[Source("nik", ordinal, plan)], families, seen)
    if want.kks:
        viewer.families(rows[Source("kk", ordinal, plan)], families, seen)
    if want.finding is not None:
        seen.fates = dict(_fates(want, plan, rows))
    return seen


class _Viewer:
    """Turns rows into people and families under one mandate."""

    def __init__(self, want: Want, mandate: Mandate, plan: Plan, ids: PairwiseIds) -> None:
        agreement = mandate.agreement
        if agreement is None:
            raise ForeignMember("only a mandate under an agreement opens people")
        self._want = want
        self._plan = plan
        self._ids = ids
        self._agency = mandate.agency
        self._version = agreement.pairwise_version
        masks = plan.masks
        self._withheld_by_mask = [Withheld(n, "mask") for n in want.opened.names if n in masks]

    def people(
        self,
        found: Mapping[str, list[asyncpg.Record]],
        families: Mapping[str, asyncpg.Record],
        seen: Seen,
    ) -> None:
        for nik in self._want.niks:
            row = found[nik][0] if nik in found else None
            seen.sights[nik] = row["sight"] if row is not None else "absent"
            if row is not None and row["sight"] == "seen":
                seen.people[nik] = self._person(row, families.get(row["kk"]))

    def families(
        self,
        members: Mapping[str, list[asyncpg.Record]],
        families: Mapping[str, asyncpg.Record],
        seen: Seen,
    ) -> None:
        for kk in self._want.kks:
            row, of_card = families.get(kk), members.get(kk, ())
            sight = seen.family_sights[kk] = _family_sight(row, of_card)
            if row is None or sight != "seen":
                continue
            shown = [
                self._person(member, None, alone=True)
                for member in of_card
                if member["sight"] == "seen"
            ]
            shown.sort(key=_shown_order)
            values, withheld = self._family(row)
            seen.families[kk] = Family(kk, self._id(Kind.FAMILY, kk), values, shown, withheld)

    def _person(
        self, row: asyncpg.Record, family: asyncpg.Record | None, *, alone: bool = False
    ) -> Person:
        opened = self._want.opened
        of_family = () if alone else opened.family
        status = _status(row)
        nik, kk = row["nik"], row["kk"]
        person_id = self._id(Kind.INDIVIDUAL, nik)
        if not _open(row):
            withheld = [
                Withheld(variable.qualified, "restricted")
                for variable in (*opened.individual, *of_family)
            ]
            return Person(nik, person_id, status, {}, None, None, withheld, limited=True)
        planned = self._plan.opened
        values = _values(row["own"], planned.individual_members, opened.individual)
        if alone:
            return Person(nik, person_id, status, values, kk, None)
        withheld = self._withheld_by_mask
        if kk is None:
            return Person(nik, person_id, status, values, None, None, withheld)
        if self._plan.reads_family:
            of_card, withheld = self._family(family)
        else:
            of_card = _values(row["family"], planned.family_members, of_family)
        family_values = {"id": self._id(Kind.FAMILY, kk), **of_card}
        return Person(nik, person_id, status, values, kk, family_values, withheld)

    def _family(self, row: asyncpg.Record | None) -> tuple[dict[str, object], list[Withheld]]:
        """A family's values, and what is withheld: the name of a head under `limit` too."""
        own = row["own"] if row is not None else None
        values = _values(own, self._plan.opened.family_members, self._want.opened.family)
        if row is None or row["head"] != "limit" or HEAD_NAME not in values:
            return values, self._withheld_by_mask
        del values[HEAD_NAME]
        name = f"keluarga.{HEAD_NAME}"
        withheld = [one for one in self._withheld_by_mask if one.field != name]
        return values, [*withheld, Withheld(name, "restricted")]

    def _id(self, kind: Kind, identifier: str) -> str:
        return self._ids.of(self._agency, self._version, kind, identifier)


def _values(
    own: str | None, planned: frozenset[str], shown: tuple[Variable, ...]
) -> dict[str, object]:
    """The shown variables of a row; null where the registry has no such row.

    Raises:
        ForeignMember: the row has other members than its plan names.
    """
    if not shown:
        return {}
    if own is None:
        return dict.fromkeys(variable.name for variable in shown)
    values: dict[str, object] = orjson.loads(own)
    if values.keys() != planned:
        raise ForeignMember("a row has other members than its plan")
    if len(shown) == len(planned):
        return values
    return {variable.name: values[variable.name] for variable in shown}


def _shown_order(member: Person) -> tuple[bytes, str]:
    """Members stand in the order of what is shown of them, and so tell nothing by it.

    Where the NIK is opened it comes first, and decides.
    """
    return orjson.dumps((member.values, member.status)), member.id


def _family_sight(row: asyncpg.Record | None, members: Sequence[asyncpg.Record]) -> Sight:
    """Why a family is seen or not: one whose people are all under `hide` does not exist."""
    if row is None:
        return "absent"
    if members and all(member["sight"] == "hidden" for member in members):
        return "hidden"
    sight: Sight = row["sight"]
    return sight


def _fates(want: Want, plan: Plan, rows: Rows) -> Iterator[tuple[str, Fate]]:
    """What happened to everybody read; people under `hide` do not exist."""
    by_nik = rows.get(Source("nik", want.release.ordinal, plan), {})
    by_kk = rows.get(Source("kk", want.release.ordinal, plan), {})
    read = [row for nik in want.niks for row in by_nik.get(nik, ())]
    read += [row for kk in want.kks for row in by_kk.get(kk, ())]
    for row in read:
        if row["sight"] != "hidden":
            yield row["nik"], Fate(orjson.loads(row["status"])[0], row["kk"])


def _open(row: asyncpg.Record) -> bool:
    """Whether a row that is seen shows values: not under restriction `limit`."""
    return row["sight"] == "seen" and row["restriction"] in (None, "mark")


def _status(row: asyncpg.Record) -> dict[str, object]:
    record, state, hold, since = orjson.loads(row["status"])
    status: dict[str, object] = {"record": record}
    if row["restriction"] == "mark":
        status["restriction"] = "correction"
    if state is None:
        status["update"] = None
    else:
        status["update"] = {"state": state, **({"hold": hold} if hold else {}), "since": since}
    return status
