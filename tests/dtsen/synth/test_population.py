import re
from collections import Counter, defaultdict

import pyarrow.parquet as pq

from dtsen.releases.synth.words import STEMS
from schemas.codes import code_list
from schemas.variables import variables

NIK, KK = "nomor_induk_kependudukan", "nomor_kartu_keluarga"


def test_columns_are_the_official_ones_in_their_order(population):
    out, _ = population
    for unit in ("keluarga", "anggota"):
        found = pq.read_schema(out / "2026-Q1" / f"{unit}.parquet").names
        assert found == [variable.name for variable in variables(unit)]


def test_values_are_of_the_codebook_and_fit_their_length(releases):
    for unit in ("keluarga", "anggota"):
        for variable in variables(unit):
            values = {row[variable.name] for row in releases[0][unit]} - {None}
            assert values, variable.qualified
            if variable.codes:
                assert values <= set(code_list(variable.codes).codes), variable.qualified
            if variable.kind == "yes_no":
                assert values == {"Ya", "Tidak"}
            if variable.kind == "decile":
                assert values == set(range(1, 11))
            if variable.length:
                assert max(len(str(value)) for value in values) <= variable.length


def test_every_number_and_name_says_that_it_is_synthetic(releases):
    word = re.compile("|".join(STEMS))
    for tables in releases:
        for row in tables["anggota"]:
            assert row[NIK][4:6] == row[KK][4:6] == "99"
            assert row["kode_kecamatan_ktp"][4:] == "99"
            assert all(word.match(part) for part in row["nama"].split())
            assert word.match(row["alamat_ktp"].removeprefix("Jl. "))
        for row in tables["keluarga"]:
            assert row[KK][4:6] == "99"
            assert row["kode_kecamatan"][4:] == "990"
            assert word.match(row["alamat"].removeprefix("Jl. "))
            assert word.match(row["kecamatan"])
            assert word.match(row["kelurahan_desa"])
        for row in tables["dtks"]:
            assert row["id_dtks"][7:10] == "999"
            assert (row["id_art_dtks"] or row["id_dtks"] + "00")[:16] == row["id_dtks"]
            assert row[NIK] is None or row[NIK][4:6] == "99"
            assert row["idsemesta"] is None or row["idsemesta"].startswith("sintetis-")


def test_files_of_a_release_refer_to_each_other_without_a_gap(releases):
    for tables in releases:
        families = {row[KK]: row for row in tables["keluarga"]}
        people = {row[NIK]: row for row in tables["anggota"]}
        assert len(families) == len(tables["keluarga"])
        assert len(people) == len(tables["anggota"])
        assert families.keys().isdisjoint(people)
        members = Counter(row[KK] for row in people.values())
        assert members == {kk: row["jumlah_anggota_keluarga"] for kk, row in families.items()}
        known = {row["id_art_dtks"] for row in tables["dtks"]}
        known |= {row["id_dtks"] for row in tables["dtks"]}
        replaced = [row["replaced_by"] for row in tables["dtks"] if row["state"] == "retired"]
        assert replaced
        assert set(replaced) <= known


def record_states(tables):
    return {row["id"]: row["record_state"] for row in tables["perubahan"] if row["record_state"]}


def test_a_family_with_active_members_has_one_active_head_and_bears_its_name(releases):
    for tables in releases:
        states = record_states(tables)
        active, heads = set(), defaultdict(list)
        for row in tables["anggota"]:
            if row[NIK] not in states:
                active.add(row[KK])
                if row["status_hubungan_keluarga"] == "1":
                    heads[row[KK]].append(row["nama"])
        assert heads.keys() == active
        named = {row[KK]: [row["nama_anggota_keluarga"]] for row in tables["keluarga"]}
        assert all(named[kk] == names for kk, names in heads.items())


def test_people_do_what_their_age_allows(releases):
    for row in releases[-1]["anggota"]:
        age = 2026.7 - row["tanggal_lahir"].year
        assert -0.4 < age < 105
        if row["status_kawin"] != "1":
            assert age > 16
        if row["status_bekerja"] == "1":
            assert age > 14
        if row["partisipasi_sekolah"] == "2":
            assert 6 < age < 32
        if row["kondisi_gizi"] is not None:
            assert age < 9  # as last seen
        if row["ijazah_tertinggi_yang_dimiliki"] in {"19", "21"}:
            assert age > 22


def test_the_poor_live_in_dtks_and_the_rich_do_not(releases):
    decile = {row[KK]: row["desil_nasional"] for row in releases[0]["keluarga"]}
    linked = {row[NIK] for row in releases[0]["dtks"]}
    shares = defaultdict(list)
    for row in releases[0]["anggota"]:
        shares[decile[row[KK]]].append(row[NIK] in linked)
    assert sum(shares[1]) / len(shares[1]) > 0.7
    assert sum(shares[10]) / len(shares[10]) < 0.1
