"""Places as the official variables write them: codes of both systems, and names."""

import numpy as np
import pyarrow as pa

from dtsen.releases.synth import words
from dtsen.releases.synth.chance import Chance, Ints
from dtsen.releases.synth.habits import written
from dtsen.releases.synth.numbers import as_text
from dtsen.releases.synth.places import VILLAGES, Places

_BPS_DISTRICT, _BPS_VILLAGES = 990, 900
_DISTRICT, _DESA = 99, 2900  # Kemendagri's villages of type desa begin with 2


def _names(places: Places, chance: Chance, place: Ints) -> tuple[pa.Array, ...]:
    """Names of province, regency, district and village of each place."""
    regency = place // VILLAGES
    return (
        written(regency, places.provinces),
        written(regency, places.names),
        words.place_names(chance, "district", regency),
        words.place_names(chance, "village name", place),
    )


def domicile(places: Places, chance: Chance, place: Ints) -> dict[str, pa.Array]:
    """The eight place variables of a family, in BPS codes of 2, 4, 7 and 10 digits."""
    regency, village = np.divmod(place, VILLAGES)
    bps = places.bps[regency]
    district = bps * 1000 + _BPS_DISTRICT
    codes = (bps // 100, bps, district, district * 1000 + _BPS_VILLAGES + village)
    return _named(codes, _names(places, chance, place), "")


def card(places: Places, chance: Chance, place: Ints) -> dict[str, pa.Array]:
    """The eight place variables of an identity card, in Kemendagri codes of 2, 4, 6, 10 digits."""
    regency, village = np.divmod(place, VILLAGES)
    code = places.kemendagri[regency]
    district = code * 100 + _DISTRICT
    codes = (code // 100, code, district, district * 10_000 + _DESA + village)
    return _named(codes, _names(places, chance, place), "_ktp")


def _named(
    codes: tuple[Ints, ...], names: tuple[pa.Array, ...], suffix: str
) -> dict[str, pa.Array]:
    levels = ("provinsi", "kabupaten_kota", "kecamatan", "kelurahan_desa")
    columns = {
        f"kode_{level}{suffix}": as_text(code) for level, code in zip(levels, codes, strict=True)
    }
    return columns | {f"{level}{suffix}": name for level, name in zip(levels, names, strict=True)}
