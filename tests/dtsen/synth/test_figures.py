from dataclasses import replace

import pytest

from dtsen.releases.synth import synthesise
from dtsen.releases.synth.figures import CHANGE, STATE
from dtsen.releases.synth.rates import Rates

RELEASES = ("2026-Q1", "2026-Q2", "2026-Q3")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_figure_is_within_its_tolerance(tmp_path, seed):
    figures = synthesise(tmp_path, families=5000, seed=seed, releases=RELEASES)
    assert len(figures.figures) == len(STATE) + len(CHANGE) * 2
    assert [figure for figure in figures.figures if not figure.holds] == []


# A wrong rate for each figure.
DISTORTIONS = {
    "family_size": {"family_sizes": (0.3, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02)},
    "no_decile": {"no_decile": 0.05},
    "nik_date": {"nik_date_differs": 0.10},
    "nik_impossible": {"nik_date_impossible": 0.006},
    "nik_sex": {"nik_sex_differs": 0.03},
    "nik_elsewhere": {"nik_elsewhere": 0.03},
    "short_kk": {"kk_of_15_digits": 0.01},
    "premium_aid": {"premium_aid": 0.4},
    "household_cards": {"second_family": 0.5},
    "household_people": {"family_sizes": (0.3, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02)},
    "dtks_share": {"dtks_poorest": 0.6},
    "unmatched": {"household_unmatched": 0.2},
    "duplicates": {"household_twice": 0.05},
    "dtks_deceased": {"already_deceased": 0.2},
    "out_of_snapshot": {"inactive_family": 0.05},
    "changed": {"rank_step": 0.02},
    "stable": {"field_check": 0.2},
    "new": {"birth": 0.15},
    "gone": {"inactive_family": 0.05},
}


def test_there_is_a_distortion_for_every_figure():
    assert DISTORTIONS.keys() == STATE.keys() | CHANGE.keys()


@pytest.mark.parametrize(("code", "wrong"), DISTORTIONS.items(), ids=DISTORTIONS)
def test_a_planted_distortion_shows_in_its_figure(tmp_path, code, wrong):
    figures = synthesise(
        tmp_path, families=3000, seed=1, releases=RELEASES[:2], rates=replace(Rates(), **wrong)
    )
    assert not figures.hold
    assert code in {figure.code for figure in figures.figures if not figure.holds}
