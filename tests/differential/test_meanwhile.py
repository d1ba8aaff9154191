"""What changes between read and record (a fault point) is what is answered by: nothing more leaves.

The whole way over HTTP, held against the evaluator in the world as it is after the change: body,
headers and record are those of the new authority, and of the old one nothing is on record.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from dtsen.disclosure import agreements, recording
from dtsen.releases.activate import activate
from tests.differential.campaign import Differential
from tests.differential.judge import Judge
from tests.differential.leak import Leak
from tests.differential.mutations import OPERATIONS, READS
from tests.differential.records import judge_record
from tests.differential.release import EARLIER, IN_FORCE
from tests.differential.spending import policies
from tests.differential.worlds import AGENCIES, TRANSLATE, Ask, Purpose, Terms, World

on_18 = pytest.mark.parametrize("differential", ["18"], indirect=True)
OPENED = ("group:identity", "group:welfare")
MINE = Terms(AGENCIES[0], {"SATU": Purpose(OPERATIONS, OPENED)}, joint=AGENCIES[1:])
THEIRS = Terms(AGENCIES[1], {"SATU": Purpose(OPERATIONS, OPENED)}, joint=AGENCIES[:1])
NOBODY = ("34",)
"""A province in which the person does not live."""
MASKS = {"anggota.nama": "initials", "anggota.tanggal_lahir": "year_only"}


def purposes(**changes):
    return {"SATU": replace(MINE.purposes["SATU"], **changes)}


NARROWED = {
    "variables": replace(MINE, purposes=purposes(variables=("keluarga.desil_nasional",))),
    "no variables": replace(MINE, purposes=purposes(variables=())),
    "masks": replace(MINE, purposes=purposes(masks=MASKS)),
    "rows": replace(MINE, codes=NOBODY),
    "nobody's rows": replace(MINE, codes=()),
    "sets": replace(MINE, sets={"keluarga.pbi_nas": ()}),
    "operation": replace(MINE, purposes=purposes(operations=("audit:read",))),
    "purpose": replace(MINE, purposes={"DUA": MINE.purposes["SATU"]}),
}
RESTRICTED = ("mark", "limit", "hide")


@dataclass
class Meanwhile:
    """One request, and what is done between its read and its record."""

    differential: Differential
    nik: str
    ask: Ask = field(init=False)

    def __post_init__(self):
        self.ask = Ask(0, "individuals.lookup", READS, (self.nik,), "SATU")
        self.house = self.differential.house
        self.house.agree(THEIRS)
        self.old = self.house.agree(MINE)
        self.house.restrict({})

    def answered(self, change: Callable[[], object], ask: Ask | None = None):
        """The answer to a request under whose read everything changed."""
        gate = self.house.app.state.parts.gate
        original = gate._record
        done = []

        async def record(connection, finished):
            gate._record = original
            done.append(await asyncio.to_thread(change))
            await original(connection, finished)

        gate._record = record
        try:
            (wire,) = self.house.ask([MINE, THEIRS], [ask or self.ask])
        finally:
            gate._record = original
        assert done, "the fault point was not reached"
        return wire

    def judged(self, wire, terms, version, restrictions=None, ask=None):
        """Hold an answer against the world after the change."""
        world = World((terms, THEIRS), restrictions or {}, (ask or self.ask,))
        self.differential.judge = judge = Judge(self.house.issuer)
        expected = self.differential._expected(world, ask or self.ask)
        if not expected.refused.codes:
            judge.answer(world.terms, [version, self.old], wire, expected)
            return
        judge._refusal(wire, expected)
        if wire.status != 401:
            judge_record(terms, version, wire, expected)

    def left_by_the_old(self):
        """Disclosures on record by the version that was in force at the read."""
        return self.house.owner.execute(
            "SELECT count(*) FROM audit.record"
            " WHERE (agency, agreement_version, typ) = (%s, %s, 'read')",
            (MINE.agency, self.old),
        ).fetchone()[0]

    def budget(self):
        """People left of the day's budget, after one more request."""
        (wire,) = self.house.ask([MINE, THEIRS], [self.ask])
        return policies(wire.header("ratelimit"))["people-day"]["r"]


@pytest.fixture
def meanwhile(differential):
    release = differential.house.registry.releases[IN_FORCE]
    nik = next(
        nik
        for nik, person in release.people.items()
        if (home := release.families.get(person["nomor_kartu_keluarga"]))
        and home["kode_provinsi"] == "33"
    )
    return Meanwhile(differential, nik)


@on_18
@pytest.mark.parametrize("what", NARROWED)
def test_what_is_narrowed_meanwhile_is_answered_by_what_is_left(meanwhile, what):
    versions = []
    wire = meanwhile.answered(lambda: versions.append(meanwhile.house.agree(NARROWED[what])))
    meanwhile.judged(wire, NARROWED[what], versions[0])
    assert meanwhile.left_by_the_old() == 0


@on_18
def test_a_record_that_looks_at_nothing_again_is_caught(meanwhile, monkeypatch):
    blind = recording.RECORD.replace(recording._HOLDS, "true")
    assert blind != recording.RECORD
    monkeypatch.setattr(recording, "RECORD", blind)
    versions = []
    wire = meanwhile.answered(lambda: versions.append(meanwhile.house.agree(NARROWED["masks"])))
    with pytest.raises(Leak):
        meanwhile.judged(wire, NARROWED["masks"], versions[0])


@on_18
@pytest.mark.parametrize("kind", RESTRICTED)
def test_who_is_restricted_meanwhile_is_answered_as_restricted(meanwhile, kind):
    restricted = {meanwhile.nik: kind}
    wire = meanwhile.answered(lambda: meanwhile.house.restrict(restricted))
    meanwhile.judged(wire, MINE, meanwhile.old, restricted)
    assert meanwhile.left_by_the_old() == 1


@on_18
def test_a_release_rolled_back_meanwhile_is_what_is_answered(meanwhile):
    house = meanwhile.house
    try:
        wire = meanwhile.answered(lambda: activate(house.owner, EARLIER))
    finally:
        activate(house.owner, IN_FORCE)
    assert wire.header("dtsen-release") == EARLIER
    assert json.loads(wire.body)["release"] == EARLIER
    assert wire.record["release"] == EARLIER


@on_18
@pytest.mark.parametrize("who", ["agreement", "client"])
def test_what_is_revoked_meanwhile_is_refused_on_record_and_costs_nobody(meanwhile, who):
    house, before = meanwhile.house, meanwhile.budget()
    ending = {
        "agreement": lambda: agreements.revoke(house.owner, MINE.number),
        "client": lambda: house.owner.execute(
            "SELECT disclosure.set_authority('client', %s, false, %s)", (MINE.client, MINE.agency)
        ),
    }
    known = meanwhile.left_by_the_old()
    wire = meanwhile.answered(ending[who])
    assert meanwhile.left_by_the_old() == known
    told = json.loads(wire.body)
    if who == "agreement":
        assert (wire.status, told["type"].rpartition("/")[2]) == (403, "agreement-not-in-force")
        assert (wire.record["typ"], wire.record["outcome"]) == ("denied", "invalid")
        assert (wire.record["agreement"], wire.record["people"]) == (None, 0)
        assert wire.opened["subject"] == []
    else:
        assert (wire.status, wire.record) == (401, None)
        house.owner.execute(
            "SELECT disclosure.set_authority('client', %s, true, %s)", (MINE.client, MINE.agency)
        )
    house.agree(MINE)
    assert meanwhile.budget() == before - 1


@on_18
@pytest.mark.parametrize("whose", ["the other's", "one's own"])
@pytest.mark.parametrize("how", ["revoked", "no longer joint"])
def test_a_joint_agreement_that_ends_meanwhile_translates_nothing(meanwhile, whose, how):
    house = meanwhile.house
    terms = THEIRS if whose == "the other's" else MINE
    shown = meanwhile.differential.ids[AGENCIES[1], "i", meanwhile.nik]
    ask = Ask(0, TRANSLATE, ("individuals:translate",), (shown,), "SATU", source=AGENCIES[1])

    def end():
        if how == "revoked":
            agreements.revoke(house.owner, terms.number)
        else:
            house.agree(replace(terms, joint=()))

    wire = meanwhile.answered(end, ask)
    code = "not-joint"
    if (whose, how) == ("one's own", "revoked"):
        code = "agreement-not-in-force"
    assert (wire.status, json.loads(wire.body)["type"].rpartition("/")[2]) == (403, code)
    assert shown.encode() not in wire.body
    assert (wire.record["typ"], wire.record["people"]) == ("denied", 0)
    assert house.owner.execute(
        "SELECT count(*) FROM audit.record WHERE outcome = 'translated'"
        " AND agency = %s AND agreement_version >= %s",
        (AGENCIES[1], meanwhile.old - 1),
    ).fetchone() == (0,)
