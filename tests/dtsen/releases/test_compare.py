"""Two releases compared: every number of a small pair counted by hand."""

import pytest

from dtsen.releases.compare import Movement, compare
from dtsen.releases.load import load
from dtsen.releases.refusals import UnknownRelease
from tests.dtsen.releases.folders import family, member, rows, write


@pytest.fixture
def pair(urls, tmp_path):
    older = rows(
        keluarga=[family(1), family(2, desil_nasional=None), family(3)],
        anggota=[member(1), member(2), member(3, of=2), member(4, of=3), member(5, of=3)],
    )
    newer = rows(
        keluarga=[
            family(1, desil_nasional="5", alamat="Jalan Rekaan 2"),
            family(2, desil_nasional="1"),
            family(4, kode_kelurahan_desa="3374020999", desil_nasional=None),
            family(5),
        ],
        anggota=[
            member(1, nama="Orang Rekaan Satu"),
            member(2, pendidikan_akhir_ktp="SLTA"),
            member(3, of=2),
            member(4, of=4),
            member(6, of=5),
            member(7, of=5),
        ],
        perubahan=[],
    )
    load(urls, write(tmp_path / "a", older, release="2026-Q2"), lambda *_: None)
    load(urls, write(tmp_path / "b", newer, release="2026-Q3"), lambda *_: None)


@pytest.mark.usefixtures("pair")
def test_people_families_variables_and_deciles_are_counted(owner):
    found = compare(owner, "2026-Q2", "2026-Q3")
    assert found.individuals == Movement(new=2, gone=1, kept=4)
    assert found.families == Movement(new=2, gone=1, kept=2)
    assert (found.moved, found.changed_card) == (1, 1)
    assert {name: count for name, count in found.changed.items() if count} == {
        "keluarga.desil_nasional": 2,
        "keluarga.alamat": 1,
        "anggota.nama": 1,
        "anggota.pendidikan_akhir_ktp": 1,
        "anggota.nomor_kartu_keluarga": 1,
    }
    assert len(found.changed) == 100
    assert sorted(found.deciles, key=str) == sorted(
        [(3, 5, 2), (None, 1, 1), (3, None, 1)], key=str
    )


@pytest.mark.usefixtures("pair")
def test_the_other_way_round_new_and_gone_change_places(owner):
    found = compare(owner, "2026-Q3", "2026-Q2")
    assert found.individuals == Movement(new=1, gone=2, kept=4)


@pytest.mark.usefixtures("pair")
def test_only_releases_that_are_ready_are_compared(owner):
    with pytest.raises(UnknownRelease):
        compare(owner, "2026-Q2", "2026-Q4")
