"""A whole synthetic release through the gate: samples of each outcome, round trips of all ids."""

import sys
from collections import Counter

import pytest

from dtsen.database import connect
from dtsen.legacy.outcome import OUTCOMES
from dtsen.legacy.samples import sample
from dtsen.releases.layout import dtks_table
from tests.legacy.registry import Registry

CLIENT = "perjalanan-pulang"
BATCH = 1000


@pytest.fixture(scope="module")
def house(population):
    one = Registry.of(population.urls, population.keyring)
    one.agree(CLIENT)
    return one


def links(population, columns):
    table = dtks_table(population.samples.ordinal)
    with connect(population.urls.owner) as connection:
        return connection.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 - the test's own text


def resolved(house, scheme, values):
    """Results by id, asked in batches."""
    values = sorted(values)
    results = {}
    for start in range(0, len(values), BATCH):
        batch = [(scheme, value) for value in values[start : start + BATCH]]
        results |= {one["value"]: one for one in house.ask(CLIENT, *batch).results}
    return results


def test_there_are_samples_of_every_outcome_and_each_comes_out(population, house):
    with population.connect() as connection:
        samples = sample(connection, population.samples.ordinal)
    assert set(samples) == set(OUTCOMES)
    for outcome, identifiers in samples.items():
        told = house.ask(CLIENT, *((one["scheme"], one["value"]) for one in identifiers))
        assert [one["outcome"] for one in told.results] == [outcome] * len(identifiers)


def test_the_round_trip_of_every_member_lands_on_them_or_on_nobody(population, house, capsys):
    named, replaced = {}, {}
    for id_art, nik, state, new in links(
        population, "id_art_dtks, nomor_induk_kependudukan, state, replaced_by"
    ):
        if id_art is not None:
            named.setdefault(id_art, set()).update({nik} if nik and state != "unmatched" else ())
            if new:
                replaced[id_art] = new
    truth = {id_art: named[id_art] | named.get(replaced.get(id_art), set()) for id_art in named}
    living = set(population.people("i.record_state <> 'deceased'", most=1_000_000))
    landed, right, wrong = Counter(), 0, 0
    for id_art, result in resolved(house, "id_art_dtks", named).items():
        landed[result["outcome"]] += 1
        found = {candidate["nik"] for candidate in result["candidates"]}
        certain = result["outcome"] in {"exact", "merged"}
        right += certain and found == truth[id_art]
        wrong += certain and found != truth[id_art]
        assert found <= truth[id_art]
        assert len(truth[id_art]) < 2 or not certain
    possible = sum(len(people) == 1 and people <= living for people in truth.values())
    with capsys.disabled():
        sys.stdout.write(
            f"\nround trip of {len(truth)} member ids: precision {right / (right + wrong):.4f},"
            f" recall {right / possible:.4f}, {dict(landed)}\n"
        )
    assert (wrong, right) == (0, possible)


def test_the_way_back_from_every_person_leads_to_them_again(population, house):
    naming = {}
    for id_art, nik, state in links(population, "id_art_dtks, nomor_induk_kependudukan, state"):
        if id_art and nik and state != "unmatched":
            naming.setdefault(nik, set()).add(id_art)
    niks = sorted(naming)
    told = {}
    for start in range(0, len(niks), BATCH):
        results = house.reverse(CLIENT, *niks[start : start + BATCH]).results
        told |= {one["nik"]: one for one in results}
    found = {nik: one["identifiers"] for nik, one in told.items() if one["status"] == "found"}
    assert found
    for nik, ids in found.items():
        of_member = {one["value"] for one in ids if one["scheme"] == "id_art_dtks"}
        assert of_member == naming[nik]
    certain = {
        one["value"]: nik
        for nik, ids in found.items()
        for one in ids
        if one["scheme"] == "id_art_dtks" and one["outcome"] in {"exact", "merged"}
    }
    for value, result in resolved(house, "id_art_dtks", certain).items():
        assert [one["nik"] for one in result["candidates"]] == [certain[value]]


def test_every_household_that_is_now_several_families_says_so(population, house):
    results = resolved(house, "id_dtks", {row[0] for row in links(population, "id_dtks")})
    outcomes = Counter(one["outcome"] for one in results.values())
    for result in results.values():
        if len(result["candidates"]) > 1:
            assert result["outcome"] in {"split", "ambiguous", "deceased"}
    assert set(outcomes) == set(OUTCOMES) - {"invalid_format", "unknown"}
