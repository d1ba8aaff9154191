import pyarrow.parquet as pq

from dtsen.releases.layout import FILES
from dtsen.releases.synth import EXAMPLE_ID_DTKS, EXAMPLE_KK, EXAMPLE_NIKS, synthesise
from dtsen.releases.synth.numbers import HOUSEHOLDS_OF_BLOCK
from schemas.codes import code_list
from schemas.identifiers import nik_oddities
from schemas.variables import variables

NIK, KK = "nomor_induk_kependudukan", "nomor_kartu_keluarga"
LAST_KEPT = 10


def family_of(tables):
    """The rows of all files that are about the example family."""
    ids = {EXAMPLE_KK, *EXAMPLE_NIKS}
    return {
        "keluarga": [row for row in tables["keluarga"] if row[KK] == EXAMPLE_KK],
        "anggota": [row for row in tables["anggota"] if row[KK] == EXAMPLE_KK],
        "dtks": [row for row in tables["dtks"] if row["id_dtks"] == EXAMPLE_ID_DTKS],
        "perubahan": [row for row in tables["perubahan"] if row["id"] in ids],
    }


def read(folder):
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in FILES}


def test_the_example_family_is_the_same_in_every_release_seed_and_size(releases, tmp_path):
    synthesise(tmp_path, families=60, seed=3, releases=["2025-Q4"])
    families = [family_of(tables) for tables in (*releases, read(tmp_path / "2025-Q4"))]
    assert [len(families[0][name]) for name in FILES] == [1, 4, 4, 1]
    assert all(family == families[0] for family in families)


def test_it_says_something_of_every_variable_and_nothing_odd(releases):
    family = family_of(releases[-1])
    assert tuple(row[NIK] for row in family["anggota"]) == EXAMPLE_NIKS
    for unit in ("keluarga", "anggota"):
        for variable in variables(unit):
            values = {row[variable.name] for row in family[unit]} - {None}
            assert values or variable.name == "kondisi_gizi", variable.qualified
            if variable.codes:
                assert values <= set(code_list(variable.codes).codes)
    for row in family["anggota"]:
        assert nik_oddities(row[NIK], row["tanggal_lahir"], row["jenis_kelamin"]) == ()


def test_nobody_else_is_ever_issued_the_numbers_kept_for_it(releases):
    for tables in releases:
        issued = {row[NIK] for row in tables["anggota"]} - set(EXAMPLE_NIKS)
        issued |= {row[KK] for row in tables["keluarga"] if len(row[KK]) == 16} - {EXAMPLE_KK}
        assert min(int(number[-4:]) for number in issued) == LAST_KEPT + 1
        households = {row["id_dtks"] for row in tables["dtks"]} - {EXAMPLE_ID_DTKS}
        assert 100 not in {int(number[-6:]) % HOUSEHOLDS_OF_BLOCK for number in households}
