from collections import Counter, defaultdict
from itertools import pairwise

from dtsen.releases.manifest import read_manifest
from schemas.reasons import REASONS
from schemas.variables import variables

RELEASES = ("2026-Q1", "2026-Q2", "2026-Q3")
NIK, KK = "nomor_induk_kependudukan", "nomor_kartu_keluarga"


def test_what_was_said_once_per_subject_is_said_once(releases):
    for tables in releases:
        for column in ("record_state", "update_state"):
            said = Counter(row["id"] for row in tables["perubahan"] if row[column])
            assert set(said.values()) == {1}


def test_reasons_are_of_the_closed_list_stand_by_their_subjects_and_all_occur(releases):
    seen = set()
    for tables in releases:
        for row in tables["perubahan"]:
            if row["reason"]:
                assert row["subject"] in REASONS[row["reason"]].subjects
                seen.add((row["reason"], row["subject"]))
    wanted = {(reason.code, subject) for reason in REASONS.values() for subject in reason.subjects}
    assert wanted - seen == set()


# Which columns a reason may change, by group of variables or by name.
EXPLAINS = {
    "anggota": {
        "moved": {"address"},
        "married": {"status_kawin", "status_hubungan_keluarga"},
        "divorced": {"status_kawin", "status_hubungan_keluarga"},
        "widowed": {"status_kawin"},
        "head_changed": {"status_hubungan_keluarga"},
        "new_family_card": {KK, "status_hubungan_keluarga"},
        "population_data_updated": {"pendidikan_akhir_ktp", "pekerjaan_ktp", "address"},
        "field_verification": {"welfare", "education", "work", "health"},
    },
    "keluarga": {
        "moved": {"address"},
        "head_changed": {"nama_anggota_keluarga"},
        "member_joined": {"jumlah_anggota_keluarga", "pbi_nas", "pbi_pemda"},
        "member_left": {"jumlah_anggota_keluarga", "pbi_nas", "pbi_pemda"},
        "new_family_card": {KK},
        "field_verification": {"dwelling", "assets", "pbi_nas", "pbi_pemda", "id_pelanggan_pln"},
        "re_ranked": {"desil_nasional", "desil_provinsi", "desil_kabupaten_kota"},
    },
}
LEAVES = {"deceased", "not_found", "duplicate_nik", "nik_unmatched", "identity_incomplete"}


def reasons_of(tables, subject):
    found = defaultdict(set)
    for row in tables["perubahan"]:
        if row["subject"] == subject and row["reason"]:
            found[row["id"]].add(row["reason"])
    return found


def unexplained(unit, old, new, reasons):
    """The columns that differ and that none of the reasons may change."""
    allowed = set().union(*(EXPLAINS[unit].get(reason, set()) for reason in reasons))
    return [
        variable.name
        for variable in variables(unit)
        if old[variable.name] != new[variable.name]
        and variable.name not in allowed
        and variable.group not in allowed
    ]


def test_every_change_of_a_person_is_explained(releases):
    for before, after in pairwise(releases):
        reasons = reasons_of(after, "anggota")
        old = {row[NIK]: row for row in before["anggota"]}
        new = {row[NIK]: row for row in after["anggota"]}
        assert all(reasons[nik] & LEAVES for nik in old.keys() - new)
        assert all(reasons[nik] & {"listed", "born"} for nik in new.keys() - old)
        for nik in old.keys() & new:
            assert unexplained("anggota", old[nik], new[nik], reasons[nik]) == []


def test_every_change_of_a_family_is_explained(releases):
    for before, after in pairwise(releases):
        reasons = reasons_of(after, "keluarga")
        old = {row[KK]: row for row in before["keluarga"]}
        new = {row[KK]: row for row in after["keluarga"]}
        previous = {
            row["id"]: row["previous_id"]
            for row in after["perubahan"]
            if row["subject"] == "keluarga" and row["reason"] == "new_family_card"
        }
        assert all(old_kk in old for old_kk in previous.values())
        for kk in new.keys() - old:
            assert kk in previous or "listed" in reasons[kk]
        for kk in old.keys() - new:
            assert kk in previous.values() or "no_members_left" in reasons[kk]
        replaced = {kk: was for kk, was in previous.items() if was not in new}
        for kk in new.keys() & (old.keys() | replaced.keys()):
            was = old[replaced.get(kk, kk)]
            assert unexplained("keluarga", was, new[kk], reasons[kk]) == []


def test_a_new_card_of_a_person_names_the_card_before(releases):
    for before, after in pairwise(releases):
        old = {row[NIK]: row[KK] for row in before["anggota"]}
        new = {row[NIK]: row[KK] for row in after["anggota"]}
        cards = {
            row["id"]: row["previous_id"]
            for row in after["perubahan"]
            if row["subject"] == "anggota" and row["reason"] == "new_family_card"
        }
        changed = {nik: old[nik] for nik in old.keys() & new if old[nik] != new[nik]}
        assert changed
        assert changed == cards


def test_events_fall_between_the_cut_offs(population, releases):
    out, _ = population
    cut_offs = [read_manifest(out / release).cut_off for release in RELEASES]
    for tables, start, end in zip(releases[1:], cut_offs, cut_offs[1:], strict=False):
        dates = [row["since"] for row in tables["perubahan"] if row["reason"]]
        assert start < min(dates)
        assert max(dates) <= end
