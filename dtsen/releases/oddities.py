"""Oddities of a chunk's NIKs, counted: `schemas.identifiers.nik_oddities` over columns.

The rule is there, with its reasons; here it is the same rule in arrays, which a test compares.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from dtsen.releases.cleaning import Cells
from dtsen.releases.keyed import ABSENT, Keys, by_row
from schemas import wilayah

_FEMALE = "2"
_PROVINCES = np.isin(
    np.arange(100),
    [int(region.code) for region in wilayah.regions("kemendagri") if region.level == "provinsi"],
)


def count_oddities(niks: Keys, born: Cells, sexes: Cells) -> Mapping[str, int]:
    """Count each oddity. `niks` as integers, `born` as ISO dates, `sexes` as codes, one a row."""
    present = niks != ABSENT
    day, month, year = ((niks // 10**power) % 100 for power in (8, 6, 4))
    female = day > 40  # noqa: PLR2004 - the civil registry's rule: 40 is added for women
    day = np.where(female, day - 40, day)
    possible = present & (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)  # noqa: PLR2004 - as above
    recorded = by_row(born, _ddmmyy)
    sex = by_row(sexes, lambda text: int(text == _FEMALE))
    found = {
        "nik-unknown-province": present & ~_PROVINCES[np.where(present, niks, 0) // 10**14],
        "nik-impossible-date": present & ~possible,
        "nik-serial-zero": present & (niks % 10**4 == 0),
        "nik-birth-date-differs": possible
        & (recorded != ABSENT)
        & (recorded != day * 10**4 + month * 100 + year),
        "nik-sex-differs": possible & (sex != ABSENT) & (sex != female),
    }
    return {code: int(np.count_nonzero(rows)) for code, rows in found.items()}


@lru_cache(1 << 16)
def _ddmmyy(iso: str) -> int:
    return int(iso[8:10] + iso[5:7] + iso[2:4])
