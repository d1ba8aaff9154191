from collections import Counter, defaultdict

import pyarrow.parquet as pq
import pytest

from dtsen.releases.layout import FILES
from dtsen.releases.synth import synthesise

RELEASES = ("2026-Q1", "2026-Q2")
NIK, KK = "nomor_induk_kependudukan", "nomor_kartu_keluarga"
AT_LEAST = 5


def read(folder):
    """A release as lists of rows, by file."""
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in FILES}


def record_states(tables):
    return {row["id"]: row["record_state"] for row in tables["perubahan"] if row["record_state"]}


def with_reason(tables, reason):
    return {
        row["id"]
        for row in tables["perubahan"]
        if row["reason"] == reason and row["subject"] == "anggota"
    }


def sample_people(tables):
    """The people that the demo looks for, by case, among those listed."""
    changes, people = tables["perubahan"], tables["anggota"]
    decile = {row[KK]: row["desil_nasional"] for row in tables["keluarga"]}
    states = record_states(tables)
    found = {
        "moved": with_reason(tables, "moved"),
        "changed_family_card": with_reason(tables, "new_family_card"),
        "married": with_reason(tables, "married"),
        "no_decile": {row[NIK] for row in people if decile[row[KK]] is None},
        "above_threshold": {row[NIK] for row in people if (decile[row[KK]] or 0) > 8},
        "deceased": {nik for nik, state in states.items() if state == "deceased"},
        "inactive": {nik for nik, state in states.items() if state == "inactive"},
        "in_verification": {
            row["id"] for row in changes if row["update_state"] == "in_verification"
        },
        "stale_population_data": {
            row["id"] for row in changes if row["hold"] == "population_data_differs"
        },
    }
    listed = {row[NIK] for row in people}
    return {case: niks & listed for case, niks in found.items()}


def outcome(value, rows, card, gone):
    """What a DTKS id must come to by the words of contract 4; None where none of them fits."""
    states = {row["state"] for row in rows}
    linked = {row[NIK] for row in rows if row["state"] == "linked"}
    here = {nik for nik in linked if nik in card and nik not in gone}
    evidence = {(row["method"], row["score"]) for row in rows}
    first = {
        "unmatched": states == {"unmatched"},
        "deceased": states == {"deceased"},
        "merged": states == {"retired"},
        "out_of_snapshot": linked and not linked & card.keys(),
        "ambiguous": len(value) == 18 and len(here) > 1 and len(evidence) > 1,
        "split": len(value) == 16 and len({card[nik] for nik in here}) > 1,
        "exact": len(here) > 0,
    }
    return next((name for name, fits in first.items() if fits), None)


def outcomes(tables):
    """How many ids of DTKS come to each outcome."""
    card = {row[NIK]: row[KK] for row in tables["anggota"]}
    gone = {nik for nik, state in record_states(tables).items() if state == "deceased"}
    by_id = defaultdict(list)
    for row in tables["dtks"]:
        for scheme in ("id_dtks", "id_art_dtks", "idsemesta"):
            by_id[row[scheme]].append(row)
    by_id.pop(None)
    return Counter(outcome(value, rows, card, gone) for value, rows in by_id.items())


def few(counts, wanted):
    return {case for case in wanted if counts[case] < AT_LEAST}


@pytest.mark.parametrize("seed", range(4))
def test_every_sample_case_is_there_in_every_release_of_two_thousand_families(tmp_path, seed):
    synthesise(tmp_path, families=2000, seed=seed, releases=RELEASES[:2])
    for release in RELEASES[:2]:
        tables = read(tmp_path / release)
        people = {case: len(niks) for case, niks in sample_people(tables).items()}
        assert few(people, people) == set()
        wanted = ("exact", "split", "merged", "ambiguous", "unmatched", "deceased")
        assert few(outcomes(tables), (*wanted, "out_of_snapshot")) == set()
