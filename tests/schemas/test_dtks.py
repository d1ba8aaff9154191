"""The mapping to DTKS-era members, each member held against the catalogue."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.codes import code_list
from schemas.dtks import KNOWN, SHAPES, dtks, members_page, members_schema, variables
from schemas.variables import CATALOGUE

DOCS = Path(__file__).resolve().parents[2] / "docs" / "agencies"
MEMBERS = [(shape, one) for shape in SHAPES for one in dtks().shapes[shape]]
CODED = [one for _, one in MEMBERS if one.variable is not None and one.variable.codes]


def member(shape, name):
    return next(one for one in dtks().shapes[shape] if one.name == name)


@pytest.mark.parametrize(("shape", "one"), MEMBERS, ids=lambda one: getattr(one, "name", one))
def test_each_member_is_made_from_something_there_is_and_has_its_source(shape, one):
    assert one.origin in CATALOGUE or one.origin in KNOWN
    assert one.source in dtks().sources
    assert [other.name for other in dtks().shapes[shape]].count(one.name) == 1
    if one.variable is not None:
        assert one.variable.unit == ("keluarga" if shape == "keluarga" else one.variable.unit)
        assert one.variable.sensitivity != "specific"


@pytest.mark.parametrize("one", CODED, ids=lambda one: one.name)
def test_each_code_that_is_turned_is_one_of_the_catalogue(one):
    assert one.codes is not None, "a coded variable cannot pass as it is"
    assert set(one.codes) <= set(code_list(one.variable.codes).codes)


@pytest.mark.parametrize("one", CODED, ids=lambda one: one.name)
def test_a_code_that_nobody_knows_is_unknown(one):
    assert one.turned("77") is None
    assert one.turned(None) is None


def test_what_has_no_equal_is_not_guessed():
    assert member("keluarga", "atap").turned("2") is None  # three kinds of roof tile
    assert member("keluarga", "sumber_airminum").turned("3") is None  # two kinds of piped water
    assert member("keluarga", "percentile").turned(9) is None
    assert member("keluarga", "desil").turned(9) == "4+"
    assert member("art", "Partisipasi_sekolah").turned("1") == "0"


def test_a_region_code_is_told_in_its_parts():
    parts = {"KDKAB": "3374", "KDKEC": "3374990", "KDDESA": "3374990901"}
    told = {name: member("keluarga", name).turned(code) for name, code in parts.items()}
    assert told == {"KDKAB": "74", "KDKEC": "990", "KDDESA": "901"}


def test_nothing_is_both_answered_and_absent():
    answered = {one.name for _, one in MEMBERS}
    absent = [name for names, _ in dtks().absent for name in names]
    assert answered.isdisjoint(absent)
    assert len(absent) == len(set(absent))


def test_schemas_are_schemas_and_the_published_table_is_this_mapping():
    for shape in SHAPES:
        Draft202012Validator.check_schema(members_schema(shape))
    assert (DOCS / "dtks-members.md").read_text() == members_page()
    assert "keluarga.desil_nasional" in variables()
