from importlib.resources import files

import pytest
from hypothesis import given, settings, strategies as st

from schemas.wilayah import SYSTEMS, convert, find, level, plain, regions

PAPUA = {
    "Papua": ("91", "94"),
    "Papua Barat": ("92", "91"),
    "Papua Selatan": ("93", "95"),
    "Papua Tengah": ("94", "96"),
    "Papua Pegunungan": ("95", "97"),
    "Papua Barat Daya": ("96", "92"),
}
REGENCIES = {
    "Kota Semarang": ("3374", "3374"),
    "Kota Administrasi Jakarta Selatan": ("3174", "3171"),
    "Kota Administrasi Jakarta Pusat": ("3171", "3173"),
    "Kabupaten Bone": ("7308", "7311"),
    "Kabupaten Luwu Timur": ("7324", "7325"),
    "Kabupaten Sumba Barat": ("5312", "5301"),
    "Kabupaten Merauke": ("9301", "9501"),
    "Kabupaten Raja Ampat": ("9603", "9201"),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_both_systems_have_38_provinces_and_514_regencies_and_cities(system):
    levels = [region.level for region in regions(system)]

    assert levels.count("provinsi") == 38
    assert levels.count("kabupaten_kota") == 514
    assert len(levels) == 552


def test_only_the_provinces_of_papua_differ():
    differing = {
        region.name: (region.code, convert(region.code, "kemendagri", "bps"))
        for region in regions("kemendagri")
        if region.level == "provinsi" and convert(region.code, "kemendagri", "bps") != region.code
    }

    assert differing == PAPUA


@pytest.mark.parametrize(("name", "codes"), REGENCIES.items())
def test_a_regency_is_the_same_place_in_both_systems(name, codes):
    kemendagri, bps = codes

    assert find("kemendagri", kemendagri).name == name
    assert find("bps", bps).name == name
    assert convert(kemendagri, "kemendagri", "bps") == bps
    assert convert(bps, "bps", "kemendagri") == kemendagri


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_regency_lies_in_a_province_and_so_does_its_counterpart(system):
    other = next(each for each in SYSTEMS if each != system)
    for region in regions(system):
        assert find(system, region.code[:2]) is not None
        counterpart = convert(region.code, system, other)
        assert counterpart[:2] == convert(region.code[:2], system, other)
        assert convert(counterpart, other, system) == region.code


def test_every_source_is_explained_in_the_notice():
    notice = files("schemas").joinpath("data/NOTICE").read_text("utf-8")

    for system in SYSTEMS:
        for region in regions(system):
            assert f"\n{region.source} " in notice
    assert "ODbL" in notice


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("kemendagri", "33", "provinsi"),
        ("kemendagri", "33.74", "kabupaten_kota"),
        ("kemendagri", "337401", "kecamatan"),
        ("kemendagri", "33.74.01.1001", "kelurahan_desa"),
        ("bps", "3374010", "kecamatan"),
        ("bps", "3374010001", "kelurahan_desa"),
        ("bps", "33.74", None),
        ("bps", "337401", None),
        ("kemendagri", "3374010", None),
        ("kemendagri", "33.74.01.001", None),
        ("kemendagri", "3.374", None),
        ("kemendagri", "33.", None),
        ("bps", "01", None),
        ("bps", "", None),
        ("bps", "33\n", None),
    ],
)
def test_the_level_follows_from_the_digits_of_the_system(system, code, expected):
    assert level(system, code) == expected


def test_dots_do_not_matter_to_kemendagri_codes():
    assert plain("kemendagri", "33.74.01.1001") == "3374011001"
    assert find("kemendagri", "33.74") == find("kemendagri", "3374")


def test_what_no_source_supports_is_absent():
    assert find("bps", "3374010") is None
    assert convert("337401", "kemendagri", "bps") is None
    assert convert("3374010", "bps", "kemendagri") is None
    assert find("bps", "93") is None
    assert find("kemendagri", "97") is None


def test_within_one_system_a_deeper_code_of_a_known_regency_stands():
    assert convert("3374010001", "bps", "bps") == "3374010001"
    assert convert("33.74.01", "kemendagri", "kemendagri") == "337401"
    assert convert("3399010001", "bps", "bps") is None


@given(st.text(max_size=14))
@settings(max_examples=50)
def test_any_text_is_a_code_or_none(text):
    for system in SYSTEMS:
        bare = plain(system, text)
        assert (bare is None) == (level(system, text) is None)
        assert bare is None or bare.isdigit()
