"""The member set: a column for each official variable of `anggota`."""

import numpy as np
import pyarrow as pa

from dtsen.releases.synth import words
from dtsen.releases.synth.chance import Flags, Ints
from dtsen.releases.synth.family_columns import yes_no
from dtsen.releases.synth.habits import Draw, habits, written
from dtsen.releases.synth.numbers import as_text
from dtsen.releases.synth.people import Families, People, find, years
from dtsen.releases.synth.schooling import Schooling, school_columns, schooling
from dtsen.releases.synth.world import World
from dtsen.releases.synth.written_places import card

_WORKING_AGE, _OLD = 15, 65
_ASKED_ABOUT_WORK, _PENSION, _CHILD = 5, 58, 6
_WORKS = {True: (0.84, 0.48), False: (0.54, 0.27)}  # men, women: of working age, and old
_OWN_BUSINESS = ("1", "2", "3")
_HAS_BUSINESS, _SEVERAL = 0.82, 0.05
_STUNTED_UNTIL, _ASKED_ABOUT_HEALTH, _ASKED_ABOUT_GRIEF = 5, 2, 10
_AGES = (40, 60, 75)
_WELL = np.array((0.988, 0.955, 0.84, 0.62))  # by age: no difficulty of one kind
_DIFFICULTIES = {
    "penglihatan": 1.5, "pendengaran": 0.9, "berjalan_atau_naik_tangga": 1.3,
    "menggunakan_tangan_jari": 0.7, "belajar_kemampuan_intelektual": 0.5,
    "pengendalian_perilaku": 0.4, "berbicara_komunikasi": 0.5, "mengurus_diri": 0.6,
    "mengingat_berkonsentrasi": 0.9,
}  # fmt: skip
"""How much more often than the mean each kind of difficulty is."""
_SOME, _MUCH = 0.72, 0.94  # of those with a difficulty: some, some or much
_ILL_AGES = (30, 50, 65)
_ILL = np.array((0.02, 0.09, 0.22, 0.38))
_OUTDATED = 0.12


def member_columns(
    world: World, families: Families, people: People, listed: Flags
) -> dict[str, pa.Array]:
    """Columns by name, one row for each listed person, in the order of their keys."""
    these = people.take(listed)
    chance = world.chance
    drawn = Draw(chance, these.key, these.quantile, these.visits)
    ages = np.maximum(years(these.born, these.seen), 0)
    school = schooling(chance, these.key, these.origin, ages)
    kk = families.kk[find(families.key, these.family)]
    return {
        "nomor_induk_kependudukan": as_text(these.nik),
        "nomor_kartu_keluarga": as_text(kk),
        "nama": words.person_names(chance, these.key, these.male),
        "tanggal_lahir": pa.array(these.born.astype(np.int32), pa.date32()),
        "jenis_kelamin": written(these.male.astype(np.int64), ("2", "1")),
        "status_hubungan_keluarga": as_text(these.relation),
        "status_kawin": as_text(these.marital),
        "pbi_nas": yes_no(these.pbi),
        "pbi_pemda": yes_no(these.pbi_local),
        **school_columns(chance, these.key, ages, school, these.revisions),
        **_work(drawn, these, ages, school),
        **_health(drawn, ages),
        **_card(world, these),
    }


def _card(world: World, people: People) -> dict[str, pa.Array]:
    """What the identity card says about where the person lives."""
    address = people.ktp_address
    return {
        **card(world.places, world.chance, people.ktp_place),
        "rt_ktp": words.units(world.chance, "rt", address, words.RT),
        "rw_ktp": words.units(world.chance, "rw", address, words.RW),
        "dusun_ktp": words.hamlets(world.chance, address),
        "alamat_ktp": words.addresses(world.chance, address),
    }


def _coded(drawn: Draw, name: str, missing: Flags) -> pa.Array:
    weights = habits()["anggota"][name]
    return written(drawn.code(name, weights), tuple(weights), missing)


def _work(drawn: Draw, people: People, ages: Ints, school: Schooling) -> dict[str, pa.Array]:
    """Work and business of those old enough who are not at school."""
    share = np.where(
        ages < _OLD,
        np.where(people.male, _WORKS[True][0], _WORKS[False][0]),
        np.where(people.male, _WORKS[True][1], _WORKS[False][1]),
    )
    works = (ages >= _WORKING_AGE) & ~school.still & (drawn.uniform("works") < share)
    positions = habits()["anggota"]["status_dalam_pekerjaan_utama"]
    position = drawn.code("status_dalam_pekerjaan_utama", positions)
    own = np.isin(np.array(list(positions))[position], _OWN_BUSINESS)
    business = works & own & (drawn.uniform("business") < _HAS_BUSINESS)
    none, idle = ~business, ~works
    several = 1 + (drawn.uniform("several") < _SEVERAL)
    paid = np.where(drawn.uniform("paid any") < 0.1 + 0.2 * drawn.quantile, 1, 0)
    paid *= 1 + (6 * drawn.uniform("paid") ** 2).astype(np.int64)
    unpaid = (2.2 * drawn.uniform("unpaid")).astype(np.int64)
    return {
        "status_bekerja": written(idle.astype(np.int64), ("1", "2"), ages < _ASKED_ABOUT_WORK),
        "lapangan_usaha_dari_pekerjaan_utama": _coded(
            drawn, "lapangan_usaha_dari_pekerjaan_utama", idle
        ),
        "status_dalam_pekerjaan_utama": written(position, tuple(positions), idle),
        "kepemilikan_usaha": yes_no(business, ages < _WORKING_AGE),
        "jumlah_usaha": _count(several, none),
        "lapangan_usaha_dari_usaha_utama": _coded(drawn, "lapangan_usaha_dari_usaha_utama", none),
        "jumlah_pekerja_yang_dibayar_dari_usaha_utama": _count(paid, none),
        "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama": _count(unpaid, none),
        "omzet_usaha_utama": _coded(drawn, "omzet_usaha_utama", none),
        "pekerjaan_ktp": _occupation(drawn, people, ages, np.where(works, position, -1)),
    }


def _occupation(drawn: Draw, people: People, ages: Ints, position: Ints) -> pa.Array:
    """The civil registry's occupation: by position in the job, sometimes out of date."""
    of_positions, idle = habits()["occupations"], habits()["idle"]
    labels = [label for row in of_positions.values() for label in row]
    kinds = len(labels) // len(of_positions)
    chosen = drawn.chance.whole("occupation", people.key, kinds, again=people.revisions)
    base = len(labels)
    labels += [idle[kind] for kind in ("child", "student", "woman", "old")]
    child, student, woman, old = range(base, base + len(idle))
    free = np.where(people.male, np.where(ages >= _PENSION, old, child), woman)
    free = np.where(ages < _WORKING_AGE + 3, student, free)
    free = np.where(ages < _CHILD, child, free)
    outdated = drawn.chance.happens("occupation outdated", people.key, _OUTDATED, people.revisions)
    working = (position >= 0) & ~outdated
    return written(np.where(working, position * kinds + chosen, free), tuple(labels))


def _health(drawn: Draw, ages: Ints) -> dict[str, pa.Array]:
    """Nutrition of small children, difficulties, grief and chronic disease, by age."""
    columns = {"kondisi_gizi": _coded(drawn, "kondisi_gizi", ages >= _STUNTED_UNTIL)}
    well = _WELL[np.searchsorted(_AGES, ages, side="right")]
    for name, more in _DIFFICULTIES.items():
        burdened = 1.0 - (1.0 - well) * more
        draw = drawn.uniform(name)
        degree = (draw - burdened) / (1.0 - burdened)
        index = np.select([draw < burdened, degree < _SOME, degree < _MUCH], [3, 2, 1], 0)
        columns[name] = written(index, ("1", "2", "3", "4"), ages < _ASKED_ABOUT_HEALTH)
    columns["kesedihan_depresi"] = _coded(drawn, "kesedihan_depresi", ages < _ASKED_ABOUT_GRIEF)
    diseases = habits()["anggota"]["penyakit_kronis"]
    ill = drawn.uniform("ill") < _ILL[np.searchsorted(_ILL_AGES, ages, side="right")]
    disease = np.where(ill, 1 + drawn.code("penyakit_kronis", diseases), 0)
    columns["penyakit_kronis"] = written(disease, ("1", *diseases))
    return columns


def _count(numbers: Ints, missing: Flags) -> pa.Array:
    return pa.array(numbers.astype(np.int32), mask=missing)
