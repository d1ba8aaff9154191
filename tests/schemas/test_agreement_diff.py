"""The exact difference agrees with brute force over a small universe of people and requests."""

import itertools
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from schemas import wilayah
from schemas.agreement import Agreement, read_agreement
from schemas.agreement_diff import difference
from schemas.agreement_duration import longer
from schemas.masks import MASKS
from schemas.row_space import row_space
from tests.parties import Terms, document

LEVELS = (2, 4, 7, 10)
REGIONS = (
    "31",
    "33",
    "3301",
    "3302",
    "3374",
    "3399",
    "3301010",
    "3301020",
    "3301010001",
    "91",
    "9471",
)
PLACES = [None, *REGIONS, "3171", "3101010"]
DECILES = [None, *range(1, 11)]
SETS = ("keluarga.pbi_nas", "keluarga.pbi_pemda")
PEOPLE = list(itertools.product(PLACES, DECILES, ["Ya", "Tidak", None], ["Ya", "Tidak", None]))
VARIABLES = ("anggota.nama", "anggota.tanggal_lahir", "keluarga.desil_nasional")
OPERATIONS = ("individuals:read", "families:read", "legacy:resolve", "audit:read")
BASE = read_agreement(document("uji", Terms())).model_dump(mode="json", by_alias=True)


def an_agreement(lot: Random, near: dict | None = None) -> dict:
    """Some agreement; near another, most of it is the same."""
    made = {}
    for code in ("A", "B"):
        if near and lot.random() < 0.6:
            made |= {code: near["purposes"][code]} if code in near["purposes"] else {}
        elif lot.random() < 0.8 or code == "A":
            names = lot.sample(VARIABLES, lot.randint(0, 3))
            masks = {
                n: lot.choice(fit)
                for n in names
                if (fit := [m for m, each in MASKS.items() if each.applies_to(wanted(n))])
                and lot.random() < 0.5
            }
            operations = lot.sample(OPERATIONS, lot.randint(0, 3))
            made[code] = {
                "legal_basis": ["x"],
                "operations": operations,
                "variables": names,
                "masks": masks,
            }
    made = made or {"A": {"legal_basis": ["x"], "operations": [], "variables": [], "masks": {}}}
    agreement = {**BASE, "purposes": made}
    if near and lot.random() < 0.5:
        return agreement | ({"rows": near["rows"]} if "rows" in near else {})
    rows = some_rows(lot)
    return agreement | ({"rows": rows} if rows else {})


def wanted(name):
    from schemas.variables import find  # noqa: PLC0415 - one word

    return find(name)


def some_rows(lot: Random) -> dict:
    rows = {}
    if lot.random() < 0.7:
        known = [code for code in REGIONS if wilayah.convert(code, "bps", "bps")]
        chosen = lot.sample(known, lot.randint(0, 4))
        codes = [c for c in chosen if not any(c != o and c.startswith(o) for o in chosen)]
        rows["wilayah"] = {"system": "bps", "codes": codes}
    if lot.random() < 0.5:
        least, most = sorted(lot.choices(range(1, 11), k=2))
        rows["desil_nasional"] = lot.choice(
            [{"min": least, "max": most}, {"max": most}, {"min": least}]
        )
    sets = {
        name: lot.sample(["Ya", "Tidak"], lot.randint(0, 2)) for name in SETS if lot.random() < 0.3
    }
    return rows | ({"sets": sets} if sets else {})


def inside(agreement: dict, person) -> bool:
    """Whether a person is in the rows, from the format's documentation."""
    place, decile, *values = person
    rows = agreement.get("rows", {})
    if "wilayah" in rows:
        codes = [place[:n] for n in LEVELS if place and len(place) >= n]
        if not set(codes) & set(rows["wilayah"]["codes"]):
            return False
    limits = rows.get("desil_nasional")
    if limits and (decile is None or not limits.get("min", 1) <= decile <= limits.get("max", 10)):
        return False
    told = dict(zip(SETS, values, strict=True))
    return all(told[name] in allowed for name, allowed in rows.get("sets", {}).items())


def cells(agreement: dict) -> set:
    """Everything that can be seen of anybody: person, purpose, operation, variable, form."""
    found = set()
    seen = [person for person in PEOPLE if inside(agreement, person)]
    for code, purpose in agreement["purposes"].items():
        for operation in purpose["operations"]:
            found.add((None, code, operation, "", ""))
            people = [None] if operation == "audit:read" else seen
            for name in ("", *purpose["variables"]):
                mask = purpose["masks"].get(name)
                forms = [mask] if mask else ["plain", *MASKS]
                found |= {(p, code, operation, name, form) for p in people for form in forms}
    return found


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**9))
def test_it_widens_exactly_if_somebody_can_see_more(seed):
    lot = Random(seed)  # noqa: S311 - no secret is drawn
    before = an_agreement(lot)
    after = an_agreement(lot, before)
    models = [Agreement.model_validate(each) for each in (before, after)]
    found = difference(*models)
    more, less = cells(after) - cells(before), cells(before) - cells(after)
    assert found.widens == bool(more)
    assert any(change.effect == "closes" for change in found.changes) == bool(less)
    for change in found.changes:
        assert change.text.id != change.text.en
        assert change.purpose in {*before["purposes"], *after["purposes"]}


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9))
def test_the_counterexample_is_one(seed):
    lot = Random(seed)  # noqa: S311 - no secret is drawn
    written = [BASE | ({"rows": r} if (r := some_rows(lot)) else {}) for _ in range(2)]
    before, after = (Agreement.model_validate(each) for each in written)
    someone = row_space(after).beyond(row_space(before))
    if someone is None:
        assert not any(inside(written[1], p) and not inside(written[0], p) for p in PEOPLE)
        return
    values = [someone.values.get(name) for name in SETS]
    person = (someone.region, someone.decile, *values)
    assert inside(written[1], person)
    assert not inside(written[0], person)


def changed(**members) -> Agreement:
    return Agreement.model_validate({**BASE, **members})


def test_it_is_told_with_a_counterexample():
    purposes = {"PKH-VERIFIKASI": BASE["purposes"]["UJI"]}
    before = changed(
        purposes=purposes,
        rows={"wilayah": {"system": "bps", "codes": ["3374"]}, "desil_nasional": {"max": 5}},
    )
    after = changed(
        purposes=purposes,
        rows={
            "wilayah": {"system": "kemendagri", "codes": ["33.74"]},
            "desil_nasional": {"max": 6},
        },
    )
    (change,) = difference(before, after).changes
    assert change.text.en == "a person of desil 6 in 3374 becomes visible for PKH-VERIFIKASI"
    assert change.text.id == "seseorang desil 6 di 3374 menjadi terlihat untuk PKH-VERIFIKASI"
    (back,) = difference(after, before).changes
    assert back.effect == "closes"


QUOTA = BASE["quota"]
TOKENS = {"binding": "dpop", "exceptions": []}
EXCEPTED = {**TOKENS, "exceptions": [{"client": "uji", "binding": "none", "until": "2026-06-30"}]}
LATER = {**TOKENS, "exceptions": [{"client": "uji", "binding": "none", "until": "2026-07-01"}]}
SHARED = {**QUOTA, "purposes": {"UJI": {"per_day": 5}}}
STRICT = {"UJI": {**BASE["purposes"]["UJI"], "actors": ["officer"], "require": ["officer"]}}
LAX = {"UJI": {**STRICT["UJI"], "actors": ["officer", "system"]}}
SILENT = {"UJI": {**STRICT["UJI"], "require": []}}
STEPS = {
    "an actor": ({"purposes": STRICT}, {"purposes": LAX}),
    "no officer": ({"purposes": STRICT}, {"purposes": SILENT}),
    "validity": (
        {"valid": {"from": "2026-01-01", "to": "2026-12-31"}},
        {"valid": {"from": "2026-01-01", "to": "2027-01-01"}},
    ),
    "earlier": (
        {"valid": {"from": "2026-02-01", "to": "2026-12-31"}},
        {"valid": {"from": "2026-01-31", "to": "2026-12-31"}},
    ),
    "requests": ({"quota": QUOTA}, {"quota": {**QUOTA, "requests": {"per_second": 1_001}}}),
    "no month": (
        {"quota": {**QUOTA, "people": {"per_day": 9, "per_month": 9}}},
        {"quota": {**QUOTA, "people": {"per_day": 9}}},
    ),
    "a share": ({"quota": SHARED}, {"quota": QUOTA}),
    "binding": ({"tokens": TOKENS}, {"tokens": {"binding": "none", "exceptions": []}}),
    "exception": ({"tokens": TOKENS}, {"tokens": EXCEPTED}),
    "exception's end": ({"tokens": EXCEPTED}, {"tokens": LATER}),
    "signature": ({"request_signature": "required"}, {}),
    "retention": ({"retention": "P364D"}, {"retention": "P1Y"}),
    "client": ({}, {"clients": ["uji", "uji-dua"]}),
    "sunset": ({"legacy": {"sunset": "2026-06-30"}}, {"legacy": {"sunset": "2026-07-31"}}),
    "joint": ({"joint": ["dua"]}, {"joint": ["tiga", "dua"]}),
    "first joint": ({}, {"joint": ["dua"]}),
    "no sunset": ({"legacy": {"sunset": "2026-06-30"}}, {}),
}


@pytest.mark.parametrize(("less", "more"), STEPS.values(), ids=STEPS)
def test_every_other_term_opens_one_way_and_closes_the_other(less, more):
    before, after = changed(**less), changed(**more)
    assert [each.effect for each in difference(before, after).changes] == ["opens"]
    assert [each.effect for each in difference(after, before).changes] == ["closes"]
    assert difference(before, before).changes == ()


def test_what_opens_nothing_is_told_and_widens_nothing():
    other = changed(dpia="DPIA-2", contacts=[{"role": "dpo", "email": "lain@uji.example.id"}])
    found = difference(changed(), other)
    assert {each.kind for each in found.changes} == {"dpia", "contacts"}
    assert not found.widens


def test_a_first_version_and_a_role_that_oversees_are_widenings():
    assert difference(None, changed()).widens
    overseer = changed(agency={**BASE["agency"], "role": "pengawas"})
    assert difference(changed(), overseer).widens


@pytest.mark.parametrize(
    ("duration", "other", "expected"),
    [
        ("P1Y", "P12M", False),
        ("P1Y", "P365D", True),
        ("P366D", "P1Y", True),
        ("P365D", "P1Y", False),
        ("P1M", "P4W", True),
        ("P30D", "P1M", True),
        ("P4W", "P1M", False),
        ("P2Y", "P730D", True),
        ("P1Y1M", "P1Y", True),
        ("P5W", "P1M", True),
    ],
)
def test_durations_are_compared_from_any_day(duration, other, expected):
    assert longer(duration, other) is expected
