import pytest
from hypothesis import given, settings, strategies as st

from schemas.codes import UnknownCodeList, UnknownMetadataVersion, code_list, code_lists, yes_no

SIZES = {
    "jenis_kelamin": 2,
    "lapangan_usaha": 26,
    "jenjang_pendidikan": 22,
    "penyakit_kronis": 18,
    "bahan_bakar_utama_memasak": 12,
    "sumber_air_minum_utama": 11,
    "omzet_usaha_utama": 7,
    "tingkat_kesulitan": 4,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_list_has_every_code_of_the_codebook(name, size):
    assert len(code_list(name).codes) == size


def test_the_codes_that_the_codebook_spells_out_stand_where_it_has_them():
    assert code_list("penyakit_kronis").codes["12"].id == "HIV/AIDS"
    assert code_list("bahan_bakar_utama_memasak").codes["4"].en == "LPG 3 kg"
    assert code_list("lapangan_usaha").codes["20"].en == "Public administration"
    assert code_list("status_dalam_pekerjaan_utama").codes["5"].id.startswith("PNS/TNI/Polri")
    assert set(code_list("kondisi_gizi").codes) == {"1", "2", "3", "8"}


def test_labels_without_a_known_value_have_none():
    uncoded = code_list("daya_terpasang").uncoded

    assert [text.en for text in uncoded] == ["900 W or less", "Above 900 W"]
    assert code_list("ijazah_tertinggi").uncoded[0].en == "No primary school certificate"


def test_the_certificate_list_has_the_levels_of_the_attendance_list():
    assert code_list("ijazah_tertinggi").codes == code_list("jenjang_pendidikan").codes


def test_codes_are_strings_with_both_labels():
    for listed in code_lists().values():
        for value, text in listed.codes.items():
            assert value.isdigit()
            assert text.id
            assert text.en


@pytest.mark.parametrize("written", ["1", "01", " 1 ", "1.0", "Ya", "ya", "TRUE", "True"])
def test_yes_in_a_coded_list_is_one_however_it_is_written(written):
    assert code_list("ya_tidak").canonical(written) == "1"


@pytest.mark.parametrize("written", ["0", "00", "0.0", "Tidak memasak di rumah"])
def test_zero_stays_a_code(written):
    assert code_list("bahan_bakar_utama_memasak").canonical(written) == "0"


def test_true_and_false_mean_nothing_outside_a_yes_no_list():
    assert code_list("jenis_kelamin").canonical("TRUE") == "TRUE"


@given(st.text(max_size=6))
@settings(max_examples=50)
def test_a_canonical_code_is_its_own_canonical_form(written):
    for name in ("ya_tidak", "lapangan_usaha"):
        listed = code_list(name)
        once = listed.canonical(written)
        assert listed.canonical(once) == once


def test_a_code_that_no_list_names_is_kept():
    assert code_list("jenis_atap_terluas").canonical("09") == "9"
    assert "9" not in code_list("jenis_atap_terluas").codes


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Ya", "Ya"), ("1", "Ya"), ("01", "Ya"), ("TRUE", "Ya"), ("2.0", "Tidak"), ("tidak", "Tidak")],
)
def test_yes_and_no_are_read_as_files_write_them(written, meant):
    assert yes_no(written) == meant


@pytest.mark.parametrize("written", ["", "0", "3", "mungkin"])
def test_anything_else_is_neither_yes_nor_no(written):
    assert yes_no(written) is None


def test_unknown_lists_and_versions_are_refused():
    with pytest.raises(UnknownCodeList):
        code_list("warna_rumah")
    with pytest.raises(UnknownMetadataVersion):
        code_list("ya_tidak", "v0/2020")
