"""Legacy ids through the real gate on real PostgreSQL: a small release, filled by hand."""

from contextlib import ExitStack

import pytest

from dtsen.disclosure.pairwise import Kind, PairwiseIds
from tests.legacy.registry import fill, registry, released
from tests.legacy.worlds import WEAK, household, kk, link, member, nik
from tests.postgres import embedded_18, open_folder, packaged_15

NATIONAL, PROVINCE, CLOSED, MASKED = "nasional", "provinsi", "tertutup", "bertopeng"


def person(number, card, *, record="active", wilayah="33", desil=1):
    return {
        "nomor_induk_kependudukan": nik(number),
        "nomor_kartu_keluarga": kk(card),
        "record_state": record,
        "keluarga_kode_provinsi": wilayah,
        "keluarga_desil_nasional": desil,
    }


PEOPLE = [
    person(1, 1),
    person(2, 1),
    person(3, 3),
    person(4, 4, wilayah="31"),
    person(5, 5, record="deceased"),
    person(6, 6),
    person(7, 7, desil=9),
    person(8, 8),
]
LINKS = [
    link(1, 1, 1),
    link(1, 2, 2, idsemesta="sintetis-2"),
    link(2, 1, 1, state="retired", replaced_by=member(1, 1)),
    link(2, state="retired", replaced_by=household(1)),
    link(3, 1, 3),
    link(3, 2, 4),
    link(4, 1, 4),
    link(5, 1, 5),
    link(6, 1, 6, **WEAK),
    link(6, 1, 3),
    link(7, 1, 7),
    link(8, 1, state="unmatched", method="none"),
    link(9, 1, 99),
    link(10, nomor_kartu_keluarga=kk(1)),
    link(11, 1, 8),
]


@pytest.fixture(scope="module", params=[embedded_18, packaged_15], ids=["18", "15"])
def house(request):
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        one = stack.enter_context(registry(stack.enter_context(request.param(folder)), folder))
        fill(one, "2026-Q3", PEOPLE, LINKS)
        one.agree(NATIONAL)
        one.agree(
            PROVINCE, rows="rows: {wilayah: {system: bps, codes: ['33']}, desil_nasional: {max: 5}}"
        )
        one.agree(CLOSED, variables="anggota.jenis_kelamin")
        one.agree(MASKED, masks="anggota.nomor_induk_kependudukan: first_6")
        one.restrict(nik(8), "hide")
        yield one


def outcomes(told):
    return [result["outcome"] for result in told.results]


def numbers(told):
    return [
        [one.get("nik") or one.get("nomor_kartu_keluarga") for one in result["candidates"]]
        for result in told.results
    ]


ASKED = {
    ("id_art_dtks", member(1, 1)): ("exact", [nik(1)]),
    ("id_dtks", household(1)): ("exact", [kk(1)]),
    ("idsemesta", "sintetis-2"): ("exact", [nik(2)]),
    ("id_art_dtks", member(2, 1)): ("merged", [nik(1)]),
    ("id_dtks", household(2)): ("merged", [kk(1)]),
    ("id_dtks", household(3)): ("split", None),
    ("id_art_dtks", member(5, 1)): ("deceased", [nik(5)]),
    ("id_art_dtks", member(6, 1)): ("ambiguous", [nik(3), nik(6)]),
    ("id_art_dtks", member(8, 1)): ("unmatched", []),
    ("id_art_dtks", member(9, 1)): ("out_of_snapshot", []),
    ("id_dtks", household(10)): ("exact", [kk(1)]),
    ("id_art_dtks", member(11, 1)): ("out_of_snapshot", []),
    ("id_dtks", household(99)): ("unknown", []),
    ("id_dtks", "123"): ("invalid_format", []),
}


def test_every_outcome_comes_out_of_the_database_in_the_order_asked(house):
    told = house.ask(NATIONAL, *ASKED)
    assert outcomes(told) == [outcome for outcome, _ in ASKED.values()]
    for found, (outcome, expected) in zip(numbers(told), ASKED.values(), strict=True):
        if outcome == "split":
            assert set(found) == {kk(3), kk(4)}
        else:
            assert found == expected
    assert told.release == "2026-Q3"


def test_duplicates_are_answered_in_place_and_spellings_are_echoed(house):
    written = " ".join([household(1)[:10], household(1)[10:]])
    told = house.ask(NATIONAL, ("id_dtks", written), ("id_dtks", household(1)))
    assert [result["value"] for result in told.results] == [written, household(1)]
    assert told.results[0]["candidates"] == told.results[1]["candidates"]
    assert told.results[0]["advice"][0]["value"] == household(1)


def test_ids_are_the_agencys_own(house):
    ids = PairwiseIds(house.keyring)
    by_agency = {}
    for agency in (NATIONAL, PROVINCE):
        told = house.ask(agency, ("id_dtks", household(1)), ("id_art_dtks", member(1, 1)))
        family, individual = (result["candidates"][0]["id"] for result in told.results)
        assert ids.resolve(agency, Kind.FAMILY, family) == kk(1)
        assert ids.resolve(agency, Kind.INDIVIDUAL, individual) == nik(1)
        by_agency[agency] = family
    assert by_agency[NATIONAL] != by_agency[PROVINCE]


def test_evidence_says_how_the_link_is_known(house):
    told = house.ask(NATIONAL, ("id_art_dtks", member(6, 1)))
    first, second = (candidate["evidence"] for candidate in told.results[0]["candidates"])
    assert first == {"source": "dtks-2021", "method": "nik", "date": "2021-06-01"}
    assert second == {**first, **WEAK}


def test_rows_hide_candidates_but_not_that_there_are_more(house):
    told = house.ask(
        PROVINCE, ("id_dtks", household(3)), ("id_dtks", household(4)), ("id_art_dtks", member(7))
    )
    assert outcomes(told) == ["split", "out_of_snapshot", "out_of_snapshot"]
    assert numbers(told) == [[kk(3)], [], []]


@pytest.mark.parametrize("agency", [CLOSED, MASKED])
def test_numbers_stay_closed_where_the_agreement_does_not_open_them(house, agency):
    told = house.ask(agency, ("id_art_dtks", member(1, 1)))
    (candidate,) = told.results[0]["candidates"]
    assert set(candidate) == {"kind", "id", "evidence"}


def test_the_record_names_whose_data_left_and_nobody_else(house):
    told = house.ask(PROVINCE, ("id_dtks", household(3)), ("id_art_dtks", member(11, 1)))
    assert told.opened["subject"] == [nik(3)]
    assert told.opened["subject_kk"] == [kk(3)]
    assert told.record["n"] == 1
    assert told.record["outcome"] == "partial"
    assert set(told.opened["reason"]) == {"seen", "outside_wilayah", "hidden"}
    assert told.opened["q"] == {
        "identifiers": [["id_dtks", household(3)], ["id_art_dtks", member(11, 1)]]
    }


def test_a_call_that_finds_nobody_is_recorded_too(house):
    told = house.ask(NATIONAL, ("id_dtks", household(99)), ("id_art_dtks", member(9, 1)))
    assert (told.record["outcome"], told.record["n"]) == ("not_found", 0)
    assert told.opened["subject"] == []
    assert told.opened["fields"] is None


def test_a_thousand_identifiers_are_answered_in_order(house):
    asked = [("id_dtks", household(number)) for number in range(1, 1001)]
    told = house.ask(NATIONAL, *asked)
    assert [(one["scheme"], one["value"]) for one in told.results] == asked
    assert outcomes(told)[11:] == ["unknown"] * 989


def test_a_link_points_into_the_release_in_force(house):
    moved = [person(1, 7), *PEOPLE[1:]]
    asked = ("id_dtks", household(2))
    assert house.ask(NATIONAL, asked).results[0]["outcome"] == "merged"
    with released(house, "2026-Q4", moved, LINKS):
        told = house.ask(NATIONAL, asked)
    assert (told.release, outcomes(told)) == ("2026-Q4", ["split"])


def test_long_and_circular_chains_end(house):
    chain = [
        link(20 + step, 1, 1, state="retired", replaced_by=member(21 + step)) for step in range(30)
    ]
    circle = [
        link(60, 1, 1, state="retired", replaced_by=member(61)),
        link(61, 1, 1, state="retired", replaced_by=member(60)),
    ]
    asked = ("id_art_dtks", member(20)), ("id_art_dtks", member(60))
    with released(house, "2027-Q1", PEOPLE, [*chain, *circle]):
        told = house.ask(NATIONAL, *asked)
    assert outcomes(told) == ["merged", "exact"]
    assert numbers(told) == [[nik(1)], [nik(1)]]


HELD = {
    nik(1): [
        ("id_dtks", household(1), "exact"),
        ("id_dtks", household(2), "merged"),
        ("id_art_dtks", member(1, 1), "exact"),
        ("id_art_dtks", member(2, 1), "merged"),
    ],
    nik(2): [
        ("id_dtks", household(1), "exact"),
        ("id_art_dtks", member(1, 2), "exact"),
        ("idsemesta", "sintetis-2", "exact"),
    ],
    nik(5): [("id_dtks", household(5), "deceased"), ("id_art_dtks", member(5, 1), "deceased")],
    nik(6): [("id_dtks", household(6), "ambiguous"), ("id_art_dtks", member(6, 1), "ambiguous")],
}


def held(result):
    return [(one["scheme"], one["value"], one["outcome"]) for one in result["identifiers"]]


def test_the_ids_of_people_come_back_with_what_translating_them_gives(house):
    told = house.reverse(NATIONAL, *HELD)
    assert {one["nik"]: held(one) for one in told.results} == HELD
    weak = told.results[-1]["identifiers"][0]["evidence"]
    assert (weak["method"], weak["score"]) == (WEAK["method"], WEAK["score"])
    asked = [one[:2] for ids in HELD.values() for one in ids]
    assert outcomes(house.ask(NATIONAL, *asked)) == [one[2] for ids in HELD.values() for one in ids]


def test_who_is_hidden_outside_or_nowhere_has_no_ids(house):
    told = house.reverse(PROVINCE, nik(8), nik(4), nik(7), nik(99), nik(3))
    absent, (found,) = told.results[:4], told.results[4:]
    assert absent == [
        {"nik": number, "status": "not_found"} for number in (nik(8), nik(4), nik(7), nik(99))
    ]
    assert found["status"] == "found"
    assert set(told.opened["subject"]) == {nik(number) for number in (8, 4, 7, 99, 3)}
    assert (told.record["n"], told.record["outcome"]) == (1, "partial")


def test_the_ids_of_a_limited_person_are_withheld(house):
    restricted = [*PEOPLE, person(12, 12)]
    with released(house, "2027-Q2", restricted, [*LINKS, link(12, 1, 12)]):
        house.restrict(nik(12), "limit")
        (told,) = house.reverse(NATIONAL, nik(12)).results
    assert set(told) == {"nik", "status", "id", "withheld"}


def test_a_person_unknown_to_dtks_has_an_empty_list(house):
    with released(house, "2027-Q3", [*PEOPLE, person(13, 13)], LINKS):
        (told,) = house.reverse(NATIONAL, nik(13)).results
    assert (told["status"], told["identifiers"]) == ("found", [])
