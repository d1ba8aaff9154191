from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.identifiers import (
    IdArtDtks,
    IdDtks,
    IdSemesta,
    Kk,
    Nik,
    clean_identifier,
    nik_oddities,
)

# Synthetic: no district has the number 99.
NIK_OF_A_MAN = "3374991708450001"
NIK_OF_A_WOMAN = "3374995708450001"
BORN = date(1945, 8, 17)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (Nik, NIK_OF_A_MAN),
        (Nik, "0000990000000000"),
        (Kk, "3374990101200001"),
        (Kk, "337499010120001"),
        (IdDtks, "3374010999000001"),
        (IdArtDtks, "3374010999" + "00000101"),
        (IdSemesta, "a7-b.9"),
    ],
)
def test_a_well_formed_number_is_kept_as_written(form, written):
    assert TypeAdapter(form).validate_python(written) == written


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (Nik, "0" * 16),
        (Nik, NIK_OF_A_MAN[:-1]),
        (Nik, NIK_OF_A_MAN + "0"),
        (Nik, NIK_OF_A_MAN + "\n"),
        (Nik, NIK_OF_A_MAN[:-1] + "\u0661"),
        (Nik, int(NIK_OF_A_MAN)),
        (Kk, "0" * 15),
        (Kk, "33749901012000"),
        (IdDtks, "337401099900001"),
        (IdArtDtks, "3374010999000001"),
        (IdSemesta, ""),
        (IdSemesta, "a b"),
    ],
)
def test_a_malformed_number_is_refused(form, written):
    with pytest.raises(ValidationError):
        TypeAdapter(form).validate_python(written)


def test_the_refusal_names_a_code_of_its_own():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Nik).validate_python("12")

    assert caught.value.errors()[0]["type"] == "malformed-nik"


def test_the_schema_says_what_the_type_refuses():
    assert TypeAdapter(Nik).json_schema() == {
        "type": "string",
        "pattern": "^(?!0+$)[0-9]{16}$",
        "maxLength": 16,
    }


@pytest.mark.parametrize(
    "written",
    [f" {NIK_OF_A_MAN} ", f"{NIK_OF_A_MAN}.0", "3374 9917 0845 0001", f"\u00a0{NIK_OF_A_MAN}"],
)
def test_spaces_and_a_spreadsheets_tail_are_stripped(written):
    assert clean_identifier(written) == NIK_OF_A_MAN


def test_leading_characters_are_never_dropped():
    assert clean_identifier("'0012") == "'0012"


@pytest.mark.parametrize(("nik", "sex"), [(NIK_OF_A_MAN, "1"), (NIK_OF_A_WOMAN, "2")])
def test_a_nik_that_agrees_with_its_record_is_not_odd(nik, sex):
    assert nik_oddities(nik, BORN, sex) == ()


@pytest.mark.parametrize(
    ("nik", "born", "sex", "codes"),
    [
        (NIK_OF_A_MAN, BORN, "2", ("nik-sex-differs",)),
        (NIK_OF_A_MAN, date(1945, 8, 18), "1", ("nik-birth-date-differs",)),
        (NIK_OF_A_MAN, date(2045, 8, 17), "1", ()),
        (NIK_OF_A_MAN, None, None, ()),
        ("9974991708450001", BORN, "1", ("nik-unknown-province",)),
        ("3374991708450000", BORN, "1", ("nik-serial-zero",)),
        ("3374993208450001", BORN, "1", ("nik-impossible-date",)),
        ("3374990008450001", BORN, "1", ("nik-impossible-date",)),
        ("3374991713450001", BORN, "2", ("nik-impossible-date",)),
        ("9674997108450001", None, None, ()),
        ("3374994108450001", date(1945, 8, 1), "2", ()),
        ("9674997208450001", None, None, ("nik-impossible-date",)),
    ],
)
def test_oddities_are_named_and_refuse_nobody(nik, born, sex, codes):
    assert nik_oddities(nik, born, sex) == codes
    assert TypeAdapter(Nik).validate_python(nik) == nik
