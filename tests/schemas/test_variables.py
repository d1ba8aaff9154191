import pytest

from schemas.codes import UnknownMetadataVersion, code_lists
from schemas.variables import (
    CATALOGUE,
    GROUPS,
    AmbiguousVariable,
    UnknownVariable,
    find,
    variables,
)

# Key, count of each kind and first and last names, as the codebook of v3/2026 lists them.
FIRST_AND_LAST = {
    "keluarga": ("kode_provinsi", "jumlah_ternak_kambing_domba"),
    "anggota": ("nomor_induk_kependudukan", "alamat_ktp"),
}


def test_the_catalogue_holds_the_hundred_official_variables():
    assert len(variables("keluarga")) == 52
    assert len(variables("anggota")) == 48
    assert len({variable.name for variable in CATALOGUE.values()}) == 97


def test_both_sets_share_exactly_three_names():
    shared = {each.name for each in variables("keluarga")} & {
        each.name for each in variables("anggota")
    }

    assert shared == {"nomor_kartu_keluarga", "pbi_nas", "pbi_pemda"}


@pytest.mark.parametrize("unit", ["keluarga", "anggota"])
def test_each_set_keeps_the_official_order(unit):
    listed = variables(unit)

    assert (listed[0].name, listed[-1].name) == FIRST_AND_LAST[unit]


def test_assets_livestock_and_card_addresses_are_written_out():
    names = {each.name for each in CATALOGUE.values()}

    assert len({name for name in names if name.startswith("aset_bergerak_")}) == 14
    assert len({name for name in names if name.startswith("aset_tidak_bergerak_")}) == 2
    assert len({name for name in names if name.startswith("jumlah_ternak_")}) == 5
    assert len({name for name in names if name.startswith("kode_") and name.endswith("_ktp")}) == 4
    assert {"rt_ktp", "rw_ktp", "dusun_ktp", "alamat_ktp"} <= names


def test_every_variable_is_in_one_known_group_and_tells_itself_in_both_languages():
    for variable in CATALOGUE.values():
        assert variable.group in GROUPS
        assert variable.id
        assert variable.en
        assert not variable.id.endswith(".")
    assert {variable.group for variable in CATALOGUE.values()} == set(GROUPS)


def test_health_is_specific_and_weighs_five():
    health = [each for each in CATALOGUE.values() if each.group == "health"]

    assert len(health) == 12
    assert {each.sensitivity for each in health} == {"specific"}
    assert {each.weight for each in health} == {5}
    assert {each.weight for each in CATALOGUE.values() if each.group != "health"} == {1}
    assert {each.level for each in health} == {"L4"}


def test_identity_and_addresses_are_personal():
    personal = {each.qualified for each in CATALOGUE.values() if each.sensitivity == "personal"}

    assert personal == {
        "keluarga.alamat",
        "keluarga.nomor_kartu_keluarga",
        "keluarga.nama_anggota_keluarga",
        "keluarga.id_pelanggan_pln",
        "anggota.nomor_induk_kependudukan",
        "anggota.nomor_kartu_keluarga",
        "anggota.nama",
        "anggota.tanggal_lahir",
        "anggota.alamat_ktp",
    }


def test_a_variable_has_a_code_list_exactly_if_it_is_a_code():
    for variable in CATALOGUE.values():
        assert (variable.kind == "code") == (variable.codes is not None)
    assert {each.codes for each in CATALOGUE.values() if each.codes} == set(code_lists())


def test_domicile_is_written_in_bps_codes_and_the_card_in_kemendagri_codes():
    assert find("kode_kecamatan").code_system == "bps"
    assert find("kode_kecamatan_ktp").code_system == "kemendagri"
    assert find("kecamatan").code_system is None


def test_a_bare_name_serves_where_it_is_unique():
    assert find("nama").qualified == "anggota.nama"
    assert find("desil_nasional") is find("keluarga.desil_nasional")
    with pytest.raises(AmbiguousVariable):
        find("pbi_nas")
    assert find("anggota.pbi_nas").unit == "anggota"


@pytest.mark.parametrize(
    "name", ["", "nik", "anggota.desil_nasional", "keluarga.", "keluarga.nama"]
)
def test_an_unknown_name_is_refused(name):
    with pytest.raises(UnknownVariable):
        find(name)


def test_an_unknown_metadata_version_is_refused():
    with pytest.raises(UnknownMetadataVersion):
        variables("anggota", "v9/2030")
