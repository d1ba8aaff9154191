"""The DTKS-shaped service through the real gate: who is listed, and how it is told who is not."""

from contextlib import ExitStack

import pytest

from dtsen.errors import FieldNotPermitted, Unavailable
from tests.legacy.registry import fill, registry
from tests.legacy.worlds import WEAK, household, kk, link, member, nik
from tests.postgres import embedded_18, open_folder, packaged_15

NATIONAL, PROVINCE, CLOSED, MASKED = "nasional", "provinsi", "tertutup", "bertopeng"
VARIABLES = "group:identity, group:address, group:welfare, group:dwelling"
RULE = """
version: 1
valid_from: 2026-01-01
source: for tests, as DTKS held the poorest 40 per cent
most_desil_nasional: 4
records: [active]
"""
DECILES = (*range(1, 11), None)
LINKED = 100  # people with a legacy link stand from here on, those without from 1


def person(number, card, desil, *, record="active", wilayah="33", **more):
    return {
        "nomor_induk_kependudukan": nik(number),
        "nomor_kartu_keluarga": kk(card),
        "nama": f"Sintetis {number}",
        "record_state": record,
        "keluarga_kode_provinsi": wilayah,
        "keluarga_desil_nasional": desil,
        **more,
    }


def of_decile(desil, *, linked):
    return (LINKED if linked else 0) + (11 if desil is None else desil)


PEOPLE = [
    person(of_decile(desil, linked=linked), of_decile(desil, linked=linked), desil)
    for linked in (True, False)
    for desil in DECILES
] + [
    person(201, 201, 2),
    person(202, 202, 9),  # their household was split: one family rose, one has no decile
    person(203, 203, None),
    person(204, 204, 2, record="deceased"),
    person(205, 204, 2),
    person(206, 206, 3, record="inactive"),
    person(207, 207, 3),
    person(208, 208, 3),
    person(209, 209, 3, wilayah="31"),
    person(210, 210, 1),
    person(211, 211, 1),
]
LINKS = [link(of_decile(d, linked=True), 1, of_decile(d, linked=True)) for d in DECILES] + [
    link(201, 1, 201),
    link(201, 2, 202),
    link(202, 1, 202),
    link(202, 2, 203),
    link(204, 1, 204, state="deceased"),
    link(204, 2, 205),
    link(205, 1, state="unmatched", method="none"),
    link(207, 1, 207),
    link(210, 1, 210),
    link(210, 1, 211, **WEAK),
    link(212, 1, 201, state="retired", replaced_by=member(201, 1)),
    link(213, 1, 999),
]


@pytest.fixture(scope="module", params=[embedded_18, packaged_15], ids=["18", "15"])
def house(request):
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        one = stack.enter_context(registry(stack.enter_context(request.param(folder)), folder))
        fill(one, "2026-Q3", PEOPLE, LINKS)
        one.agree(NATIONAL, variables=VARIABLES)
        one.agree(
            PROVINCE, variables=VARIABLES, rows="rows: {wilayah: {system: bps, codes: ['33']}}"
        )
        one.agree(CLOSED, variables="group:identity")
        one.agree(MASKED, variables=VARIABLES, masks="keluarga.desil_nasional: decile_band")
        with pytest.raises(Unavailable):  # no rule has begun: nobody is listed by guess
            one.search(NATIONAL, "nik", nik(1))
        one.rule(RULE)
        one.restrict(nik(207), "limit")
        one.restrict(nik(208), "hide")
        yield one


def answer(house, scheme, written, client=NATIONAL):
    (told,) = house.search(client, scheme, written).results
    return told


def old_program(told):
    """What a program of DTKS days does: found, or not."""
    return told["status"] == "terdaftar"


def reason(told):
    return told["alasan"] and told["alasan"]["kode"]


EXPECTED = {
    None: "no_decile",
    **dict.fromkeys(range(1, 5)),
    **dict.fromkeys(range(5, 11), "above_threshold"),
}


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "not linked"])
@pytest.mark.parametrize("desil", DECILES)
def test_an_old_program_finds_the_poorest_four_tenths_and_nobody_else(house, desil, linked):
    number = of_decile(desil, linked=linked)
    asked = [("nik", nik(number))]
    if linked:
        asked += [("id_art_dtks", member(number, 1)), ("id_dtks", household(number))]
    for scheme, written in asked:
        told = answer(house, scheme, written)
        assert old_program(told) == (desil in range(1, 5))
        assert reason(told) == EXPECTED[desil]
        assert (told["data"] is None) == (not old_program(told))


@pytest.mark.parametrize(
    ("scheme", "written", "expected"),
    [
        ("nik", nik(999), "not_found"),
        ("nik", nik(208), "not_found"),
        ("nik", nik(207), "restricted"),
        ("nik", nik(204), "deceased"),
        ("nik", nik(206), "inactive"),
        ("nik", "3301-99", "invalid_format"),
        ("id_dtks", household(998), "unknown"),
        ("id_dtks", household(205), "unmatched"),
        ("id_dtks", household(202), "no_decile"),
        ("id_dtks", household(207), "restricted"),
        ("id_dtks", "33", "invalid_format"),
        ("id_art_dtks", member(204, 1), "deceased"),
        ("id_art_dtks", member(207, 1), "restricted"),
        ("id_art_dtks", member(210, 1), "ambiguous"),
        ("id_art_dtks", member(213, 1), "out_of_snapshot"),
    ],
)
def test_whoever_is_not_listed_is_told_why(house, scheme, written, expected):
    told = answer(house, scheme, written)
    assert (old_program(told), reason(told), told["data"]) == (False, expected, None)


def test_a_split_household_lists_the_families_that_are_listed(house):
    told = answer(house, "id_dtks", household(201))
    assert (told["status"], told["hasil"]) == ("terdaftar", "split")
    assert [one["NoKK"] for one in told["data"]["keluarga"]] == [kk(201)]
    assert [one["NIK"] for one in told["data"]["art"]] == [nik(201)]


def test_the_dead_are_not_listed_with_their_family(house):
    told = answer(house, "id_dtks", household(204))
    assert [one["NIK"] for one in told["data"]["art"]] == [nik(205)]


def test_a_replaced_id_is_listed_and_its_replacement_advised(house):
    told = answer(house, "id_art_dtks", member(212, 1))
    assert told["hasil"] == "merged"
    assert {one["code"]: one.get("value") for one in told["saran"]} == {
        "use_replacement": member(201, 1)
    }


def test_a_number_as_typed_in_the_field_is_read_and_said(house):
    written = f" {nik(1)[:6]}-{nik(1)[6:12]}.{nik(1)[12:]} "
    told = answer(house, "nik", written)
    assert told["status"] == "terdaftar"
    assert told["saran"][0]["code"] == "separators_removed"
    assert told["saran"][0]["value"] == nik(1)


def test_outside_the_rows_is_not_found(house):
    assert reason(answer(house, "nik", nik(209), PROVINCE)) == "not_found"
    assert old_program(answer(house, "nik", nik(209), NATIONAL))


def test_members_stand_in_the_order_of_the_mapping_and_closed_ones_are_absent(house):
    told = answer(house, "nik", nik(1))
    assert list(told) == ["status", "keterangan", "alasan", "hasil", "rilis", "data", "saran"]
    names = list(told["data"])
    assert names[:3] == ["IDBDT", "IDARTBDT", "NIK"]
    assert "Sta_Bekerja" not in names
    assert told["data"]["percentile"] == "0-10"
    assert told["data"]["IDBDT"] is None
    assert answer(house, "nik", nik(101))["data"]["IDARTBDT"] == member(101, 1)


@pytest.mark.parametrize("client", [CLOSED, MASKED])
def test_without_the_decile_nobody_can_be_listed(house, client):
    with pytest.raises(FieldNotPermitted):
        house.search(client, "nik", nik(1))


def test_the_record_names_whose_data_the_answer_rests_on(house):
    told = house.search(NATIONAL, "id_dtks", household(201))
    assert set(told.opened["subject"]) == {nik(201)}
    assert set(told.opened["subject_kk"]) == {kk(201), kk(202)}
    assert (told.record["outcome"], told.record["n"]) == ("found", 1)
    told = house.search(NATIONAL, "id_art_dtks", member(109, 1))
    assert told.opened["subject"] == [nik(109)]
    assert told.record["outcome"] == "not_listed"
    told = house.search(NATIONAL, "nik", nik(208))
    assert (told.opened["subject"], told.record["n"]) == ([nik(208)], 0)


def test_a_newer_rule_applies_from_its_day_on_and_only_two_people_make_one(house):
    assert reason(answer(house, "nik", nik(5))) == "above_threshold"
    house.rule(RULE.replace("2026-01-01", "2099-01-01").replace("nal: 4", "nal: 9"))
    assert reason(answer(house, "nik", nik(5))) == "above_threshold"
    house.rule(RULE.replace("version: 1", "version: 2").replace("nal: 4", "nal: 5"))
    assert old_program(answer(house, "nik", nik(5)))
    house.rule(RULE.replace("version: 1", "version: 3"))
    assert reason(answer(house, "nik", nik(5))) == "above_threshold"
