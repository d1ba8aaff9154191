"""Whoever may not be seen is as absent as whoever does not exist: in every byte, and in time."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest

from dtsen.disclosure import sighting
from tests.differential.house import UNAVAILABLE
from tests.differential.mutations import READS
from tests.differential.release import ABSENT_KKS, ABSENT_NIKS
from tests.differential.spending import policies
from tests.differential.stopwatch import clocks, measure
from tests.differential.worlds import AGENCIES, Ask, Purpose, Terms

on_18 = pytest.mark.parametrize("differential", ["18"], indirect=True)
TERMS = Terms(
    AGENCIES[0],
    {"SATU": Purpose(READS, ("group:identity", "keluarga.desil_nasional"))},
    codes=("33",),
    desil=(1, 7),
)
OWN = ("dtsen-access-record", "ratelimit")
PLANTED_SECONDS = 200e-6
ATTEMPTS = 3
MOSTLY = 0.95


@dataclass(frozen=True)
class Unseen:
    """Numbers by why they are not seen: of people, and of families."""

    people: dict[str, list[str]]
    families: dict[str, list[str]]


@pytest.fixture
def unseen(differential):
    """Everybody who is not seen under TERMS, while some are hidden."""
    registry = differential.house.registry
    release = registry.releases[registry.in_force]
    regions = {kk: family["kode_provinsi"] for kk, family in release.families.items()}
    decile = {kk: family["desil_nasional"] for kk, family in release.families.items()}
    near = [kk for kk, region in regions.items() if region == "33"]
    inside = [kk for kk in near if decile[kk] and decile[kk] <= 7 and release.members(kk)]
    families = {
        "outside wilayah": [kk for kk, region in regions.items() if region != "33"],
        "outside desil": [kk for kk in near if decile[kk] and decile[kk] > 7],
        "no decile": [kk for kk in near if decile[kk] is None],
        "hidden": inside[:2],
        "absent": list(ABSENT_KKS),
    }
    people = {
        why: [nik for kk in kks for nik in release.members(kk)] for why, kks in families.items()
    }
    people |= {"absent": list(ABSENT_NIKS)}
    people["no card"] = [
        nik for nik, person in release.people.items() if not person["nomor_kartu_keluarga"]
    ]
    differential.house.agree(TERMS)
    differential.house.restrict(dict.fromkeys(people["hidden"], "hide"))
    found = Unseen({why: niks for why, niks in people.items() if niks}, families)
    assert len(found.people) == 6 - (not people["no decile"])
    return found


def by_ids(differential, unseen):
    """Ids that answer as nobody's: own ones of the unseen, another agency's, none at all."""
    ids = differential.ids
    for kind, groups in (("i", unseen.people), ("k", unseen.families)):
        numbers = [number for why, some in groups.items() if why != "absent" for number in some]
        op = "individuals.get" if kind == "i" else "families.get"
        for number in numbers:
            yield op, ids[AGENCIES[0], kind, number]
            yield op, ids[AGENCIES[1], kind, number]
        yield from ((op, text) for text in ("i1-AAAA", "k1-AAAA", "x", "A" * 120))


@on_18
def test_every_kind_of_absence_is_one_answer(differential, unseen):
    asks = [
        Ask(0, op, READS, (number,))
        for op, groups in (
            ("individuals.lookup", unseen.people),
            ("families.lookup", unseen.families),
        )
        for numbers in groups.values()
        for number in numbers
    ]
    asks += [Ask(0, op, READS, (text,)) for op, text in by_ids(differential, unseen)]
    answers = set()
    for wire in differential.house.ask([TERMS], asks):
        told = json.loads(wire.body)
        assert told.pop("instance").startswith("urn:uuid:")
        headers = [(name, value) for name, value in wire.headers if name not in OWN]
        answers.add((wire.status, json.dumps(told), tuple(headers)))
    assert len(asks) > 40
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


@on_18
def test_in_a_batch_every_kind_of_absence_is_one_answer(differential, unseen):
    niks = [nik for some in unseen.people.values() for nik in some]
    (wire,) = differential.house.ask([TERMS], [Ask(0, "individuals.batch-lookup", READS, (*niks,))])
    assert json.loads(wire.body)["results"] == [{"nik": nik, "status": "not_found"} for nik in niks]


def differences(differential, op, one, other):
    """How much longer it takes to be told that `one` is absent than that `other` is.

    Told: of what a stalled machine refused instead, no time says anything, and it is asked anew.
    """
    for _ in range(ATTEMPTS):
        told, found = _differences(differential, op, one, other)
        if told[404] > MOSTLY * told.total():
            return found
    return pytest.fail(f"nobody is told to be absent: {dict(told)}")


def _differences(differential, op, one, other):
    house, chance = differential.house, Random(2)  # noqa: S311 - not for secrets
    authority = house.app.state.parts.authority
    told = Counter()

    def asking(numbers):
        async def ask():
            wire = await house.send(TERMS, Ask(0, op, READS, (chance.choice(numbers),)))
            told[wire.status] += 1
            if wire.status == UNAVAILABLE:
                await authority.refresh()  # refusals wait for nothing, and so nobody else could

        return ask

    house.portal.call(authority.refresh)
    with clocks(house.owner) as read:
        return told, house.portal.call(measure, read, asking(one), asking(other))


@on_18
@pytest.mark.parametrize(
    ("op", "why"),
    [
        ("individuals.lookup", "outside wilayah"),
        ("individuals.lookup", "outside desil"),
        ("individuals.lookup", "hidden"),
        ("families.lookup", "outside wilayah"),
        ("families.lookup", "hidden"),
    ],
)
def test_no_kind_of_absence_is_told_by_its_time(differential, unseen, campaign, op, why):
    groups = unseen.people if op.startswith("individuals") else unseen.families
    found = differences(differential, op, groups[why], groups["absent"])
    campaign.tell(
        f"time of {op}: {why} against absent",
        promise="nobody can tell them apart by 100 us",
        observed=", ".join(map(str, found)),
        count=found[0].pairs,
    )
    assert not any(one.told for one in found), list(map(str, found))


@on_18
def test_a_planted_200_us_is_found(differential, unseen, campaign, monkeypatch):
    original = sighting._Viewer.people

    def slower(self, found, families, seen):
        original(self, found, families, seen)
        if any(sight.startswith("outside") for sight in seen.sights.values()):
            until = time.perf_counter() + PLANTED_SECONDS
            while time.perf_counter() < until:
                pass

    monkeypatch.setattr(sighting._Viewer, "people", slower)
    groups = unseen.people
    found = differences(
        differential, "individuals.lookup", groups["outside wilayah"], groups["absent"]
    )
    told = ", ".join(map(str, found))
    campaign.tell(
        "time of individuals.lookup: 200 us planted",
        promise="the same test finds them",
        observed=told,
        count=found[0].pairs,
    )
    assert any(one.told for one in found), f"this machine is too noisy to find 200 us: {told}"


@on_18
def test_a_budget_ends_alike_for_whoever_is_asked_for(differential, unseen):
    few = Terms("dinas-tiga", TERMS.purposes, codes=("33",), per_day=3)
    house = differential.house
    house.agree(few)
    release = house.registry.releases[house.registry.in_force]
    seen = next(nik for nik in release.people if release.people[nik]["nama"])
    asked = [*unseen.people["outside wilayah"][:2], unseen.people["absent"][0]]
    left = [budget_left(house, few, nik)[1] for nik in asked]
    assert left == [2, 1, 0]
    refused = {budget_left(house, few, nik) for nik in (seen, *asked)}
    assert len(refused) == 1
    status, remaining, code, recorded = refused.pop()
    assert (status, remaining, recorded) == (429, 0, False)
    assert code.endswith("/quota-exhausted")


def budget_left(house, terms, nik):
    """Status of a lookup, people left, the code of a problem, and whether it is on record."""
    (wire,) = house.ask([terms], [Ask(0, "individuals.lookup", READS, (nik,))])
    told = json.loads(wire.body)
    left = policies(wire.header("ratelimit"))["people-day"]["r"]
    return wire.status, left, told.get("type", ""), wire.record is not None
