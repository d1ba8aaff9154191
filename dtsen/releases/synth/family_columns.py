"""The family set: a column for each official variable of `keluarga`."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.synth import words
from dtsen.releases.synth.chance import Flags, Ints
from dtsen.releases.synth.habits import Draw, habits, written
from dtsen.releases.synth.numbers import as_text
from dtsen.releases.synth.people import Families, People, find
from dtsen.releases.synth.quarter import Stand
from dtsen.releases.synth.world import World
from dtsen.releases.synth.written_places import domicile
from schemas.codes import NO, YES

_YES, _NO = "1", "2"
_MOVABLE, _FIXED = "aset_bergerak_", "aset_tidak_bergerak_"
_CUSTOMER = 99  # first digits of the twelve of a synthetic electricity customer


def family_columns(
    world: World, families: Families, people: People, stand: Stand
) -> dict[str, pa.Array]:
    """Columns by name, one row for each listed family, in the order of their keys."""
    rows = np.flatnonzero(stand.members > 0)
    these, head = families.take(rows), stand.head[rows]
    drawn = Draw(world.chance, these.key, these.quantile, these.visits)
    aided = _aided(families, people, stand.listed)
    heads = words.person_names(world.chance, people.key[head], people.male[head])
    return {
        "nomor_kartu_keluarga": as_text(these.kk),
        **domicile(world.places, world.chance, these.place),
        "alamat": words.addresses(world.chance, these.address),
        "nama_anggota_keluarga": heads,
        "jumlah_anggota_keluarga": pa.array(stand.members[rows].astype(np.int32)),
        **_deciles(stand.deciles[rows]),
        "pbi_nas": yes_no(aided[0][rows]),
        "pbi_pemda": yes_no(aided[1][rows]),
        **_belongings(drawn),
        **_animals(drawn),
    }


def yes_no(flags: Flags, missing: Flags | None = None) -> pa.Array:
    """Ya or Tidak; null where missing."""
    return written(flags.astype(np.int64), (NO, YES), missing)


def _deciles(deciles: Ints) -> dict[str, pa.Array]:
    names = ("desil_nasional", "desil_provinsi", "desil_kabupaten_kota")
    return {
        name: pa.array(column.astype(np.int32), mask=column == 0)
        for name, column in zip(names, deciles.T, strict=True)
    }


def _aided(families: Families, people: People, listed: Flags) -> tuple[Flags, Flags]:
    """Families of which some listed member has national, or local, premium assistance."""
    found = []
    for flag in (people.pbi, people.pbi_local):
        having = np.zeros(len(families.key), dtype=np.bool_)
        having[find(families.key, people.family[listed & flag])] = True
        found.append(having)
    return found[0], found[1]


def _belongings(drawn: Draw) -> dict[str, pa.Array]:
    """Dwelling and assets; what depends on another answer is null where that rules it out."""
    weights = habits()["keluarga"]
    values = {
        name: np.array(list(codes))[drawn.code(name, codes)] for name, codes in weights.items()
    }
    light, toilet = values["sumber_penerangan_utama"], values["fasilitas_bab"]
    missing = {
        "daya_terpasang": light != "1",
        "jenis_kloset": toilet == "6",
        "pembuangan_akhir_tinja": toilet == "6",
    }
    columns = {
        name: pa.array(value.astype(object), pa.string(), mask=missing.get(name))
        for name, value in values.items()
    }
    owned = [values[name] == _YES for name in values if name.startswith((_MOVABLE, _FIXED))]
    customer = _CUSTOMER * 10**10 + drawn.chance.whole("customer", drawn.keys, 10**10)
    floor = 18 + 30 * drawn.uniform("luas_lantai") + 75 * drawn.quantile
    return columns | {
        "kepemilikan_aset": written((~np.any(owned, axis=0)).astype(np.int64), (_YES, _NO)),
        "id_pelanggan_pln": as_text(customer, ~np.isin(light, ("1", "2"))),
        "luas_lantai": pa.array(floor.astype(np.int32)),
    }


def _animals(drawn: Draw) -> dict[str, pa.Array]:
    """Numbers of animals; most families have none."""
    columns = {}
    for name, habit in habits()["ternak"].items():
        poor, rich = (share / 100.0 for share in habit["any"])
        some = drawn.uniform(f"{name} any") < poor + (rich - poor) * drawn.quantile
        count = 1 + (drawn.uniform(name) * habit["most"]).astype(np.int64)
        columns[name] = pc.cast(pa.array(np.where(some, count, 0)), pa.int32())
    return columns
