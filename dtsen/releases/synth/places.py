"""Where the synthetic population lives: real regencies, invented districts and villages.

A place is regency index * 100 + village (0 to 99). Each regency has one synthetic district, 99 to
Kemendagri and 990 to BPS, whose villages are numbered 9xx by BPS and 29xx by Kemendagri; no real
district or village is meant. Provinces and regencies are those that the vocabulary knows in both
systems.
"""

from dataclasses import dataclass
from math import fsum
from types import MappingProxyType

import numpy as np

from dtsen.releases.synth.chance import Chance, Floats, Ints
from schemas.wilayah import convert, regions

VILLAGES = 100
_VILLAGES_OF_BLOCK = 3
_REGENCY_DIGITS = 4
_TENTHS = 10
_GOLDEN = 0.6180339887498949
_WIDEST_TILT = 0.55

POPULATION = MappingProxyType(
    {
        11: 5.5, 12: 15.6, 13: 5.8, 14: 6.7, 15: 3.7, 16: 8.8, 17: 2.1, 18: 9.4, 19: 1.5, 21: 2.2,
        31: 10.7, 32: 50.3, 33: 37.9, 34: 3.8, 35: 41.8, 36: 12.4, 51: 4.4, 52: 5.6, 53: 5.7,
        61: 5.7, 62: 2.8, 63: 4.3, 64: 4.0, 65: 0.7, 71: 2.7, 72: 3.1, 73: 9.5, 74: 2.8, 75: 1.2,
        76: 1.5, 81: 1.9, 82: 1.4, 91: 1.1, 92: 0.6, 93: 0.5, 94: 1.5, 95: 1.5, 96: 0.6,
    }
)  # fmt: skip
"""People of each province in millions, by Kemendagri code; common knowledge, rounded."""


@dataclass(frozen=True, slots=True)
class Places:
    """The regencies, in the order of their Kemendagri codes; parallel arrays.

    `tilt` is how much poorer (above 0) than the nation a regency is: its people's national
    quantile x has the density 1 + tilt * (1 - 2x). The mean over the nation is 0, so that national
    quantiles are uniform.
    """

    kemendagri: Ints
    bps: Ints
    names: tuple[str, ...]
    provinces: tuple[str, ...]
    weight: Floats
    tilt: Floats
    provincial_tilt: Floats

    def regencies_of_blocks(self, offset: float, blocks: int) -> Ints:
        """The regency of each block: spread over the nation in proportion to its people.

        A golden-ratio sequence, so that even few blocks reach every large province.
        """
        points = (offset + np.arange(blocks) * _GOLDEN) % 1.0
        bounds = np.cumsum(self.weight)
        found = np.searchsorted(bounds / bounds[-1], points, side="right")
        return np.minimum(found, len(self.weight) - 1).astype(np.int64)

    def villages(self, chance: Chance, keys: Ints, ordinals: Ints) -> Ints:
        """A village for each key, one of the few of its block."""
        first = ordinals * _VILLAGES_OF_BLOCK % (VILLAGES - 1)
        return first + chance.whole("village", keys, _VILLAGES_OF_BLOCK)

    def elsewhere(self, chance: Chance, purpose: str, keys: Ints, regencies: Ints) -> Ints:
        """Another regency for each key than the one given."""
        step = 1 + chance.whole(purpose, keys, len(self.weight) - 1)
        return (regencies + step) % len(self.weight)

    def national(self, rank: Floats, regencies: Ints) -> Floats:
        """The quantile in the nation of a rank in the regency, both of [0, 1]."""
        tilt = self.tilt[regencies]
        found: Floats = 2.0 * rank / (1.0 + tilt + np.sqrt((1.0 + tilt) ** 2 - 4.0 * tilt * rank))
        return found

    def deciles(self, rank: Floats, regencies: Ints) -> Ints:
        """National, provincial and regency decile, one column each."""
        nation = self.national(rank, regencies)
        province = nation + self.provincial_tilt[regencies] * nation * (1.0 - nation)
        shares = np.stack([nation, province, rank], axis=1)
        found: Ints = 1 + np.clip(shares * _TENTHS, 0, _TENTHS - 1).astype(np.int64)
        return found


def _mean(values: Floats, weights: Floats) -> float:
    """The weighted mean, summed exactly, so that no machine's order of additions shows."""
    return fsum((values * weights).tolist()) / fsum(weights.tolist())


def known_places(chance: Chance) -> Places:
    """Every regency that has a code in both systems, with its weight and its tilt."""
    found = [
        (region, bps)
        for region in regions("kemendagri")
        if len(region.code) == _REGENCY_DIGITS
        and (bps := convert(region.code, "kemendagri", "bps")) is not None
    ]
    names = {region.code: region.name for region in regions("kemendagri")}
    codes = np.array([int(region.code) for region, _ in found], dtype=np.int64)
    provinces = codes // 100
    counts = {int(code): int((provinces == code).sum()) for code in np.unique(provinces)}
    weight = np.array([POPULATION[code] / counts[code] for code in provinces.tolist()])
    tilt = (chance.uniform("tilt", codes) - 0.5) * 2.0 * _WIDEST_TILT
    tilt -= _mean(tilt, weight)
    provincial = np.zeros(len(codes))
    for code in counts:
        inside = provinces == code
        provincial[inside] = _mean(tilt[inside], weight[inside])
    return Places(
        codes,
        np.array([int(bps) for _, bps in found], dtype=np.int64),
        tuple(region.name for region, _ in found),
        tuple(names[region.code[:2]] for region, _ in found),
        weight,
        tilt,
        provincial,
    )
