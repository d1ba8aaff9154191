"""How the field's spellings are read: what is certain is read, what is a guess is advice."""

import pytest
from hypothesis import given, strategies as st

from dtsen.legacy.advice import Advice
from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.schemes import SCHEMES, forms, read
from dtsen.releases.layout import fields
from tests.legacy.worlds import household, member, nik

HOUSEHOLD = household(123)
MEMBER = member(123, 4)
DIGITS = {"id_dtks": HOUSEHOLD, "id_art_dtks": MEMBER}


@pytest.mark.parametrize(
    ("scheme", "written", "change"),
    [
        ("id_dtks", "33.01.990.999.000123", "separators_removed"),
        ("id_dtks", "3301990999 000123", "separators_removed"),
        ("id_dtks", "3301990999-000123", "separators_removed"),
        ("id_dtks", "3301990999\u00a0\u2013 000123", "separators_removed"),
        ("id_dtks", f"  {HOUSEHOLD}\t", "separators_removed"),
        ("id_dtks", f"'{HOUSEHOLD}", "separators_removed"),
        ("id_dtks", f"{HOUSEHOLD}.0", "decimal_tail_removed"),
        ("id_art_dtks", "33.01.990.999.000123.04", "separators_removed"),
        ("id_art_dtks", f"{HOUSEHOLD} 04", "separators_removed"),
        ("id_art_dtks", f"{MEMBER}.00", "decimal_tail_removed"),
    ],
)
def test_what_reads_in_one_way_only_is_read_and_said(scheme, written, change):
    reading = read(scheme, written)
    assert reading.identifier == Identifier(scheme, DIGITS[scheme])
    assert reading.advice == (Advice(change, reading.identifier),)


def test_an_idsemesta_is_opaque_but_for_the_space_around_it():
    assert read("idsemesta", "a-1.b").identifier == Identifier("idsemesta", "a-1.b")
    assert read("idsemesta", "a-1.b").advice == ()
    trimmed = read("idsemesta", " a-1 ")
    assert trimmed.identifier == Identifier("idsemesta", "a-1")
    assert trimmed.advice == (Advice("separators_removed", trimmed.identifier),)
    assert read("idsemesta", "a 1").identifier is None
    assert read("idsemesta", " ").advice == (Advice("malformed"),)


@pytest.mark.parametrize(
    ("scheme", "written"),
    [
        ("id_dtks", "3301990999123"),
        ("id_dtks", "3301990999 123"),
        ("id_dtks", "33.1.990.999.123"),
        ("id_dtks", "3301990999123.0"),
        ("id_art_dtks", f"{HOUSEHOLD}4"),
        ("id_art_dtks", f"{HOUSEHOLD}-4"),
        ("id_art_dtks", "3301990999-123-4"),
    ],
)
def test_lost_zeros_are_advised_and_never_put_back(scheme, written):
    reading = read(scheme, written)
    assert reading.identifier is None
    assert Advice("zeros_lost", Identifier(scheme, DIGITS[scheme])) in reading.advice


@pytest.mark.parametrize(
    ("scheme", "written", "codes"),
    [
        ("id_dtks", "3.30199E+15", ["rounded_by_spreadsheet"]),
        ("id_dtks", "3,30199e15", ["rounded_by_spreadsheet"]),
        ("id_dtks", "33019909990O0123", ["digits_only"]),
        ("id_dtks", "\u0663" * 16, ["digits_only"]),
        ("id_dtks", "---", ["digits_only"]),
        ("id_dtks", "330199", ["wrong_length"]),
        ("id_dtks", "33019909990001230", ["wrong_length"]),
        ("id_dtks", "1 2 3", ["wrong_length"]),
        ("id_dtks", MEMBER, ["wrong_length", "other_scheme"]),
        ("id_art_dtks", HOUSEHOLD, ["wrong_length", "other_scheme"]),
        ("id_art_dtks", nik(1), ["wrong_length", "other_scheme", "looks_like_nik_or_kk"]),
        ("id_art_dtks", "3301994101900001", ["wrong_length", "other_scheme", "looks_like_nik"]),
    ],
)
def test_what_cannot_be_read_is_explained(scheme, written, codes):
    reading = read(scheme, written)
    assert reading.identifier is None
    assert [advice.code for advice in reading.advice] == codes


def test_a_number_under_the_wrong_scheme_names_the_right_one():
    assert (
        Advice("other_scheme", Identifier("id_art_dtks", MEMBER)) in read("id_dtks", MEMBER).advice
    )


@given(st.sampled_from(sorted(SCHEMES)), st.text(min_size=1, max_size=64))
def test_reading_is_total_and_gives_the_strict_form_or_says_why_not(scheme, written):
    reading = read(scheme, written)
    if reading.identifier is None:
        assert reading.advice
    else:
        assert SCHEMES[scheme].fits(reading.identifier.value)
        assert bool(reading.advice) == (reading.identifier.value != written)
        assert read(*reading.identifier).advice == ()


@given(
    st.sampled_from(sorted(DIGITS)),
    st.lists(st.tuples(st.integers(0, 18), st.sampled_from([" ", ".", "-"])), max_size=8),
)
def test_separators_never_change_the_number(scheme, inserted):
    written = DIGITS[scheme]
    for place, separator in inserted:
        written = written[:place] + separator + written[place:]
    if not written.endswith(".0"):
        assert read(scheme, written).identifier == Identifier(scheme, DIGITS[scheme])


def test_a_value_without_a_scheme_has_every_form_it_fits():
    assert forms(HOUSEHOLD) == (
        Identifier("id_dtks", HOUSEHOLD),
        Identifier("idsemesta", HOUSEHOLD),
    )
    assert forms("sintetis 1") == ()


def test_every_scheme_is_a_column_of_the_dtks_file():
    columns = {field.name for field in fields("dtks", "v3/2026")}
    assert set(SCHEMES) <= columns


def test_layouts_add_up_to_the_form():
    for scheme in SCHEMES.values():
        for layout in scheme.layouts:
            assert scheme.fits("9" * sum(layout))
