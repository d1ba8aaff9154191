"""Counting in finished tables: for each figure a total and the units that it is shared among."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.layout import File
from dtsen.releases.synth.chance import Flags, Ints
from dtsen.releases.synth.numbers import six_digits
from schemas.codes import YES
from schemas.wilayah import convert

Counts: TypeAlias = dict[str, tuple[int, int]]

_FEMALE = 400_000
_FEMALE_FROM = 410_000
_SHORT_KK = 15
_FAMILY_COPIES = (
    "desil_nasional",
    "desil_provinsi",
    "desil_kabupaten_kota",
    "kode_kelurahan_desa",
)
"""What a person's row of a release shows of the family."""


def _integers(column: pa.ChunkedArray) -> Ints:
    """Digits as numbers."""
    found: Ints = pc.cast(column, pa.int64()).to_numpy()
    return found


def _flags(column: pa.ChunkedArray) -> Flags:
    found: Flags = pc.fill_null(column, False).to_numpy(zero_copy_only=False)  # noqa: FBT003 - Arrow's own signature
    return found


def at_one_time(tables: dict[File, pa.Table]) -> Counts:
    """The figures of one release."""
    families, people = tables["keluarga"], tables["anggota"]
    count = people.num_rows
    undecided = families["desil_nasional"].null_count
    short = _flags(pc.equal(pc.utf8_length(families["nomor_kartu_keluarga"]), _SHORT_KK))
    aided = _flags(pc.equal(people["pbi_nas"], YES))
    return {
        "family_size": (count, families.num_rows),
        "no_decile": (undecided, families.num_rows),
        "short_kk": (int(short.sum()), families.num_rows),
        "premium_aid": (int(aided.sum()), count),
        **_niks(families, people),
        **_legacy(tables["dtks"], people),
    }


def _niks(families: pa.Table, people: pa.Table) -> Counts:
    """How NIKs disagree with the record."""
    nik = _integers(people["nomor_induk_kependudukan"])
    count = len(nik)
    said = nik // 10_000 % 1_000_000
    female = said > _FEMALE_FROM - 1
    said = np.where(female, said - _FEMALE, said)
    born = people["tanggal_lahir"].to_numpy().astype("datetime64[D]").astype(np.int64)
    day, month = said // 10_000, said // 100 % 100
    impossible = (month == 2) & (day > 29)  # noqa: PLR2004 - February
    home = _rows(families, "nomor_kartu_keluarga", people["nomor_kartu_keluarga"])
    regency = families["kode_kabupaten_kota"].take(home).combine_chunks()
    here = _kemendagri(regency.dictionary_encode())
    totals = {
        "nik_date": said != six_digits(born),
        "nik_impossible": impossible,
        "nik_sex": female != _flags(pc.equal(people["jenis_kelamin"], "2")),
        "nik_elsewhere": nik // 10**12 != here,
    }
    return {code: (int(which.sum()), count) for code, which in totals.items()}


def _kemendagri(bps: pa.ChunkedArray) -> Ints:
    """The Kemendagri codes of an encoded column of BPS regency codes."""
    codes = [int(convert(code, "bps", "kemendagri") or 0) for code in bps.dictionary.to_pylist()]
    found: Ints = np.array(codes, dtype=np.int64)[bps.indices.to_numpy()]
    return found


def _rows(table: pa.Table, key: str, wanted: pa.ChunkedArray) -> pa.ChunkedArray:
    """The row of `table` for each wanted key."""
    return pc.index_in(wanted, value_set=table[key])


def _legacy(dtks: pa.Table, people: pa.Table) -> Counts:
    """What DTKS held, and how it is linked."""
    persons = dtks.filter(pc.is_valid(dtks["id_art_dtks"]))
    retired = pc.equal(persons["state"], "retired")
    first = persons.filter(pc.invert(retired))
    households = len(pc.unique(first["id_dtks"]))
    arts = len(pc.unique(first["id_art_dtks"]))
    cards = first.group_by(["id_dtks", "nomor_kartu_keluarga"]).aggregate([])
    known = pc.unique(cards["id_dtks"].filter(pc.is_valid(cards["nomor_kartu_keluarga"])))
    linked = first.filter(pc.equal(first["state"], "linked"))
    listed = pc.is_in(
        linked["nomor_induk_kependudukan"], value_set=people["nomor_induk_kependudukan"]
    )
    absent = linked.num_rows - int(_flags(listed).sum())

    def state(name: str) -> int:
        return int(_flags(pc.equal(first["state"], name)).sum())

    return {
        "household_cards": (int(pc.count(cards["nomor_kartu_keluarga"]).as_py()), len(known)),
        "household_people": (arts, households),
        "dtks_share": (first.num_rows, people.num_rows),
        "unmatched": (state("unmatched"), first.num_rows),
        "duplicates": (int(_flags(retired).sum()), first.num_rows),
        "dtks_deceased": (state("deceased"), first.num_rows),
        "out_of_snapshot": (absent, linked.num_rows),
    }


def between_two(before: dict[File, pa.Table], after: dict[File, pa.Table]) -> Counts:
    """The figures of a release and the one before it."""
    key = "nomor_induk_kependudukan"
    old, new = before["anggota"], after["anggota"]
    place = pc.index_in(new[key], value_set=old[key])
    stays = pc.is_valid(place)
    kept = int(_flags(stays).sum())
    then, now = old.take(place.filter(stays)), new.filter(stays)
    own = np.zeros(kept, dtype=np.bool_)
    for name in now.column_names:
        own |= differs(then[name], now[name])
    changed = own.copy()
    for name in _FAMILY_COPIES:
        changed |= differs(_of_family(before, then, name), _of_family(after, now, name))
    return {
        "changed": (int(changed.sum()), kept),
        "stable": (int(own.sum()), kept),
        "new": (new.num_rows - kept, old.num_rows),
        "gone": (old.num_rows - kept, old.num_rows),
    }


def _of_family(tables: dict[File, pa.Table], people: pa.Table, name: str) -> pa.ChunkedArray:
    families = tables["keluarga"]
    rows = _rows(families, "nomor_kartu_keluarga", people["nomor_kartu_keluarga"])
    return families[name].take(rows)


def differs(then: pa.ChunkedArray, now: pa.ChunkedArray) -> Flags:
    """Where two columns differ, null being a value."""
    unlike = _flags(pc.not_equal(then, now))
    missing: Flags = pc.xor(pc.is_null(then), pc.is_null(now)).to_numpy()
    return unlike | missing
