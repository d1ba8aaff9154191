import re

import pytest

from schemas.masks import DECILE_BANDS, MASKS
from schemas.variables import find


@pytest.mark.parametrize(
    ("mask", "fits", "does_not"),
    [
        ("initials", "nama", "tanggal_lahir"),
        ("year_only", "tanggal_lahir", "nama"),
        ("first_6", "nomor_induk_kependudukan", "nama"),
        ("decile_band", "desil_nasional", "luas_lantai"),
    ],
)
def test_a_mask_fits_its_kinds_alone(mask, fits, does_not):
    assert MASKS[mask].applies_to(find(fits))
    assert not MASKS[mask].applies_to(find(does_not))


@pytest.mark.parametrize(
    ("mask", "masked", "plain"),
    [
        ("initials", "S. A.", "Siti Aminah"),
        ("year_only", "1945", "1945-08-17"),
        ("first_6", "337499**********", "3374991708450001"),
    ],
)
def test_a_masked_value_can_not_be_taken_for_the_plain_one(mask, masked, plain):
    pattern = re.compile(MASKS[mask].values["pattern"])

    assert pattern.fullmatch(masked)
    assert not pattern.fullmatch(plain)


def test_decile_bands_hold_every_decile_once():
    bounds = [tuple(map(int, band.split("-"))) for band in DECILE_BANDS]

    assert [each for low, high in bounds for each in range(low, high + 1)] == list(range(1, 11))
