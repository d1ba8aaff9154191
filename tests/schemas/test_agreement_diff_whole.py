"""The exact difference of whole agreements against brute force: people, forms, requests, limits.

What an agreement lets happen is written out as a set of cells from `docs/agencies/agreements.md`
alone; a change opens something exactly if that set has grown, and closes something if it shrank.
"""

import itertools
from random import Random

from hypothesis import given, settings, strategies as st

from schemas.agreement import Agreement
from schemas.agreement_diff import difference
from schemas.masks import MASKS
from schemas.variables import CATALOGUE
from tests.schemas.test_agreement_diff import BASE, DECILES, PLACES, SETS, inside

KEMENDAGRI = {"33": "33", "33.01": "3301", "3374": "3374", "91": "94", "91.71": "9471"}
"""Codes of the other system, with those of BPS that mean the same regions."""
SELECTORS = ("group:welfare", "group:identity", "level:L2", "anggota.nama", "desil_nasional")
OPERATIONS = ("individuals:read", "individuals:translate", "audit:read", "feedback:write")
WITHOUT_PEOPLE = {"audit:read", "feedback:write"}
ACTORS = ("officer", "subject", "system")
NAMED = ("officer", "case_ref")
CLIENTS = ("satu", "dua")
MOST = 4
"""Quotas run to it; one more stands for no limit."""
DAYS = [f"2026-0{month}-01" for month in range(1, 8)]
PEOPLE = [
    (place, decile, *values)
    for place in [*PLACES, "3374010", "94", "9471"]
    for decile in DECILES
    for values in itertools.product(["Ya", "Tidak", None], repeat=len(SETS))
]


def selects(selector, variable):
    kind, _, rest = selector.partition(":")
    if kind == "group":
        return variable.group == rest
    if kind == "level":
        return variable.level <= rest and variable.sensitivity != "specific"
    return selector in {variable.name, variable.qualified}


def opened(purpose):
    return [v for v in CATALOGUE.values() if any(selects(s, v) for s in purpose["variables"])]


def some(lot, words, least=0):
    return lot.sample(words, lot.randint(least, len(words)))


def a_purpose(lot):
    made = {
        "legal_basis": ["x"],
        "operations": some(lot, OPERATIONS, 1),
        "variables": some(lot, SELECTORS),
        "actors": some(lot, ACTORS, 1),
        "require": some(lot, NAMED),
    }
    masks = {}
    for variable in opened(made):
        fitting = [name for name, mask in MASKS.items() if mask.applies_to(variable)]
        if fitting and lot.random() < 0.1:
            masks[variable.qualified] = lot.choice(fitting)
    return made | {"masks": masks}


def some_rows(lot):
    rows = {}
    if lot.random() < 0.7:
        system = lot.choice(["bps", "kemendagri"])
        known = [*KEMENDAGRI] if system == "kemendagri" else ["33", "3301", "3374010", "94"]
        chosen = some(lot, known)
        plain = {code: code.replace(".", "") for code in chosen}
        codes = [
            code
            for code in chosen
            if not any(plain[code] != o and plain[code].startswith(o) for o in plain.values())
        ]
        rows["wilayah"] = {"system": system, "codes": codes}
    if lot.random() < 0.5:
        rows["desil_nasional"] = {lot.choice(["min", "max"]): lot.randint(1, 10)}
    sets = {name: some(lot, ["Ya", "Tidak"]) for name in SETS if lot.random() < 0.3}
    return rows | ({"sets": sets} if sets else {})


def a_quota(lot, clients, purposes):
    def limit():
        return lot.randint(1, MOST)

    people = {"per_day": limit()} | ({"per_month": limit()} if lot.random() < 0.5 else {})
    shares = {c: {"people": {"per_day": limit()}} for c in clients if lot.random() < 0.4}
    of_purposes = {p: {"per_month": limit()} for p in purposes if lot.random() < 0.4}
    return {
        "requests": {"per_second": limit()},
        "people": people,
        "clients": shares,
        "purposes": of_purposes,
    }


def an_agreement(lot, near=None):
    """Some agreement; each part is, half of the time, that of another one."""

    def part(name, made):
        return near[name] if near and name in near and lot.random() < 0.6 else made

    whole = {
        "purposes": part("purposes", {code: a_purpose(lot) for code in some(lot, "AB", 1)}),
        "clients": part("clients", some(lot, CLIENTS)),
        "joint": part("joint", some(lot, ["tiga", "empat"])),
        "valid": part(
            "valid", dict(zip(("from", "to"), sorted(lot.choices(DAYS, k=2)), strict=True))
        ),
    }
    if near and lot.random() < 0.7:  # one purpose alone changes
        code = lot.choice([*whole["purposes"]])
        whole["purposes"] = whole["purposes"] | {code: a_purpose(lot)}
    quota = part("quota", a_quota(lot, whole["clients"], whole["purposes"]))
    for name in ("clients", "purposes"):  # shares are for those that there are
        quota = quota | {name: {k: v for k, v in quota[name].items() if k in whole[name]}}
    rows = part("rows", some_rows(lot))
    return BASE | whole | {"quota": quota} | ({"rows": rows} if rows else {})


def who(agreement):
    rows = agreement.get("rows", {})
    if rows.get("wilayah", {}).get("system") == "kemendagri":
        codes = [KEMENDAGRI[code] for code in rows["wilayah"]["codes"]]
        rows = rows | {"wilayah": {"system": "bps", "codes": codes}}
    return {person for person in PEOPLE if inside({"rows": rows}, person)}


def about_people(agreement):
    """Purpose, operation, variable and form: what is told of whoever is inside the rows."""
    for code, purpose in agreement["purposes"].items():
        for operation in set(purpose["operations"]) - WITHOUT_PEOPLE:
            yield code, operation, "", ""
            for variable in opened(purpose):
                mask = purpose["masks"].get(variable.qualified)
                for form in [mask] if mask else ["plain", *MASKS]:
                    yield code, operation, variable.qualified, form


def about_requests(agreement):
    """Who may ask what, naming what, when, for how much; whose ids; what looks into no rows."""
    for code, purpose in agreement["purposes"].items():
        for operation, actor in itertools.product(purpose["operations"], purpose["actors"]):
            for named in ([], ["officer"], ["case_ref"], [*NAMED]):
                if set(purpose["require"]) <= set(named):
                    yield code, operation, actor, *named
            if operation in WITHOUT_PEOPLE:
                # The log shows an agency the numbers that any purpose of it opens.
                yield from ((code, operation, *told) for told in forms(purpose))
    yield from (("client", client) for client in agreement["clients"])
    yield from (("joint", code) for code in agreement["joint"])
    first, last = agreement["valid"]["from"], agreement["valid"]["to"]
    yield from (("day", day) for day in DAYS if first <= day <= last)
    yield from about_quota(agreement)


def forms(purpose):
    for variable in opened(purpose):
        mask = purpose["masks"].get(variable.qualified)
        for form in [mask] if mask else ["plain", *MASKS]:
            yield variable.qualified, form


def about_quota(agreement):
    quota = agreement["quota"]
    limits = {"second": quota["requests"]["per_second"], "day": quota["people"]["per_day"]}
    limits["month"] = quota["people"].get("per_month")
    for client in agreement["clients"]:
        limits["client", client] = quota["clients"].get(client, {}).get("people", {}).get("per_day")
    for code in agreement["purposes"]:
        limits["purpose", code] = quota["purposes"].get(code, {}).get("per_month")
    for name, limit in limits.items():
        yield from ((name, n) for n in range(1, (limit or MOST + 1) + 1))


def grown(before, after):
    """Whether something can happen under the later that could not under the earlier."""
    if set(about_requests(after)) - set(about_requests(before)):
        return True
    people, held = who(after), who(before)
    told, known = set(about_people(after)), set(about_people(before))
    return bool(people and told - known) or bool(people - held and told & known)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_a_whole_change_opens_exactly_if_something_can_happen_that_could_not(seed):
    lot = Random(seed)  # noqa: S311 - no secret is drawn
    before = an_agreement(lot)
    after = an_agreement(lot, before)
    found = difference(*(Agreement.model_validate(each) for each in (before, after)))
    said = [(change.effect, change.text.en) for change in found.changes]
    assert found.widens == grown(before, after), said
    assert any(effect == "closes" for effect, _ in said) == grown(after, before), said
    assert difference(*[Agreement.model_validate(after)] * 2).changes == ()


def test_the_share_of_whom_a_change_removes_is_no_widening():
    shares = {"clients": {"dua": {"people": {"per_day": 1}}}, "purposes": {"B": {"per_day": 1}}}
    purpose = BASE["purposes"]["UJI"]
    before = BASE | {
        "clients": ["satu", "dua"],
        "purposes": {"A": purpose, "B": purpose},
        "quota": BASE["quota"] | shares,
    }
    after = before | {"clients": ["satu"], "purposes": {"A": purpose}, "quota": BASE["quota"]}
    found = difference(*(Agreement.model_validate(each) for each in (before, after)))
    assert not found.widens
    assert {change.kind for change in found.changes} == {"client", "operation"}
