import re
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from schemas import wilayah
from schemas.wilayah_answer import WILAYAH_SCHEMA, answer
from schemas.wilayah_history import _former, _splits, former_codes, named_before, split

ANSWER = Draft202012Validator(WILAYAH_SCHEMA)


def asked(code=None, system=None, within=None):
    told = answer(code, system, within)
    ANSWER.validate(told)
    return told


def matched(told):
    return {
        (region["name"], one["system"], one["status"], one["exact"])
        for region in told["regions"]
        for one in region["matched"]
    }


def test_without_anything_the_38_provinces_come_in_both_systems():
    told = asked()
    assert len(told["regions"]) == 38
    assert not told["ambiguous"]
    papua = next(one for one in told["regions"] if one["name"] == "Papua")
    assert (papua["kemendagri"]["code"], papua["bps"]["code"]) == ("91", "94")


def test_a_bare_code_of_two_systems_is_ambiguous_and_neither_is_picked():
    told = asked("91")
    assert told["ambiguous"]
    assert {one["name"] for one in told["regions"]} == {"Papua", "Papua Barat"}
    assert not asked("91", "bps")["ambiguous"]
    assert [one["name"] for one in asked("91", "bps")["regions"]] == ["Papua Barat"]


def test_a_code_of_before_a_split_leads_to_the_region_of_now_and_says_so():
    told = asked("91.01", "kemendagri")
    assert matched(told) == {("Kabupaten Merauke", "kemendagri", "former", True)}
    merauke = told["regions"][0]
    assert {(one["system"], one["code"]) for one in merauke["former"]} == {
        ("kemendagri", "9101"),
        ("bps", "9401"),
    }
    assert asked("93", "kemendagri")["regions"][0]["split"]["from"]["name"] == "Papua"


def test_a_code_that_is_one_region_now_and_was_another_is_ambiguous():
    told = asked("9401")
    assert told["ambiguous"]
    assert matched(told) == {
        ("Kabupaten Nabire", "kemendagri", "current", True),
        ("Kabupaten Merauke", "bps", "former", True),
    }


@pytest.mark.parametrize(
    ("code", "systems"),
    [
        ("3374990", {"bps"}),
        ("337499", {"kemendagri"}),
        ("3374990901", {"bps"}),
        ("3374991001", {"bps", "kemendagri"}),
        ("33.74.99.1001", {"kemendagri"}),
    ],
)
def test_a_deeper_code_tells_its_regency_by_the_systems_it_can_be_of(code, systems):
    told = asked(code)
    assert {(one[1], one[3]) for one in matched(told)} == {(system, False) for system in systems}


def test_regencies_come_by_province_and_an_unknown_code_gives_none():
    assert len(asked(within="33")["regions"]) == 35
    assert asked(within="91")["ambiguous"]
    assert asked("99")["regions"] == asked(within="99")["regions"] == []
    assert asked("3374", within="33")["regions"][0]["name"] == "Kota Semarang"
    assert asked("3374", within="34")["regions"] == []


def test_every_code_of_the_history_stands_for_a_region_of_today_and_has_its_source():
    notice = files("schemas").joinpath("data/NOTICE").read_text("utf-8")
    assert len(_former()) == 52
    for one in _former():
        assert wilayah.plain(one.system, one.former) == one.former
        assert wilayah.find(one.system, one.code), one
        assert one.code != one.former
        assert re.search(rf"^{one.source} ", notice, re.MULTILINE)
        assert one in named_before(one.system, one.former)
        assert one in former_codes(one.system, one.code)


def test_the_provinces_formed_in_2022_are_known_and_no_others():
    assert set(_splits()) == {"93", "94", "95", "96"}
    assert split("96").parent == "92"
    assert split("33") is None
