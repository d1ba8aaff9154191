import pytest
from hypothesis import given, settings, strategies as st

from schemas.selection import named, selected, selector_names, variable_names
from schemas.variables import CATALOGUE, UnknownVariable, find

SELECTORS = st.lists(st.sampled_from(selector_names()), max_size=6)


def test_no_name_selects_nothing():
    assert selected([]) == ()


def test_a_group_selects_its_variables_of_both_sets():
    assert {each.qualified for each in named("group:welfare")} == {
        "keluarga.jumlah_anggota_keluarga",
        "keluarga.desil_nasional",
        "keluarga.desil_provinsi",
        "keluarga.desil_kabupaten_kota",
        "keluarga.pbi_nas",
        "keluarga.pbi_pemda",
        "anggota.pbi_nas",
        "anggota.pbi_pemda",
    }


@pytest.mark.parametrize(
    ("level", "classes", "count"),
    [
        ("L2", {"open"}, 77),
        ("L3", {"open", "quasi"}, 79),
        ("L4", {"open", "quasi", "personal"}, 88),
    ],
)
def test_a_level_selects_what_it_and_those_below_may_share_but_never_health(level, classes, count):
    chosen = named(f"level:{level}")

    assert {each.sensitivity for each in chosen} == classes
    assert len(chosen) == count


def test_health_is_selected_only_in_so_many_words():
    assert len(named("group:health")) == 12
    assert named("penyakit_kronis") == (find("anggota.penyakit_kronis"),)


@pytest.mark.parametrize("name", ["group:wealth", "group:", "level:L1", "level:", "GROUP:health"])
def test_unknown_groups_and_levels_are_refused(name):
    with pytest.raises(UnknownVariable):
        named(name)


@given(SELECTORS, SELECTORS)
@settings(max_examples=60)
def test_selecting_is_a_union_in_catalogue_order(some, more):
    place = {name: index for index, name in enumerate(CATALOGUE)}
    chosen = selected([*some, *more])

    assert set(chosen) == set(selected(some)) | set(selected(more))
    assert [place[each.qualified] for each in chosen] == sorted(
        place[each.qualified] for each in set(chosen)
    )


def test_every_listed_name_is_accepted_and_single_names_are_single():
    assert len(variable_names()) == 100 + 94
    for name in variable_names():
        assert len(named(name)) == 1
    assert len(selector_names()) == len(set(selector_names())) == 100 + 94 + 8 + 3
