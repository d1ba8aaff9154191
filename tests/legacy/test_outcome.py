"""The truth table of outcomes: each one, each precedence, rows, restrictions, merges and splits."""

from datetime import date

import pytest

from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.outcome import MOST_CANDIDATES, OUTCOMES
from tests.legacy import truth_of_absence, truth_of_fates, truth_of_links
from tests.legacy.worlds import (
    DEAD,
    HERE,
    LIMITED,
    UNMATCHED,
    WEAK,
    Someone,
    codes,
    household,
    ids,
    kk,
    link,
    member,
    merged,
    nik,
    of_household,
    of_member,
    on_card,
    replacements,
    resolve,
)

TABLE = truth_of_fates.TABLE | truth_of_links.TABLE | truth_of_absence.TABLE


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_the_truth_table_holds(case):
    asked, links, people, outcome, candidates = case
    resolution = resolve(asked, links, people)
    assert (resolution.outcome, ids(resolution)) == (outcome, candidates)


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_the_order_of_the_file_does_not_matter(case):
    asked, links, people, outcome, candidates = case
    resolution = resolve(asked, links[::-1], dict(reversed(people.items())))
    assert (resolution.outcome, ids(resolution)) == (outcome, candidates)


def test_the_truth_table_has_every_outcome():
    assert {outcome for _, _, _, outcome, _ in TABLE.values()} == set(OUTCOMES)


def test_a_merge_gives_the_id_to_use_instead():
    household_merged = resolve(of_household(1), merged(1, 2), {1: HERE})
    assert replacements(household_merged) == [Identifier("id_dtks", household(2))]
    member_merged = resolve(of_member(1), merged(1, 2), {1: HERE})
    assert replacements(member_merged) == [Identifier("id_art_dtks", member(2))]


def test_a_chain_gives_its_last_id():
    _, links, people, _, _ = TABLE["merged twice"]
    assert replacements(resolve(of_member(1), links, people)) == [
        Identifier("id_art_dtks", member(3))
    ]


def test_an_idsemesta_is_followed_to_the_member_that_replaced_it():
    links = [
        link(1, 1, 1, idsemesta="sintetis-old", state="retired", replaced_by=member(2)),
        link(2, 1, 1, idsemesta="sintetis-new"),
    ]
    resolution = resolve(("idsemesta", "sintetis-old"), links, {1: HERE})
    assert resolution.outcome == "merged"
    assert replacements(resolution) == [Identifier("id_art_dtks", member(2))]


@pytest.mark.parametrize("sight", ["outside_wilayah", "outside_desil", "hidden", None])
def test_absence_looks_the_same_whatever_its_reason(sight):
    people = {} if sight is None else {1: Someone(sight=sight)}
    for links in ([link(1, 1, 1)], merged(1, 2), [link(1, 1, 1), link(1, 2, **UNMATCHED)]):
        for asked in (of_member(1), of_household(1)):
            resolution = resolve(asked, links, people)
            assert resolution.outcome == "out_of_snapshot"
            assert ids(resolution) == []
            assert codes(resolution) == ["look_up_by_nik"]


def test_numbers_are_given_only_where_the_agreement_opens_them():
    links = [link(1, 1, 1)]
    (opened,) = resolve(of_member(), links, {1: HERE}).candidates
    (closed,) = resolve(of_member(), links, {1: HERE}, opened=False).candidates
    (family,) = resolve(of_household(), links, {1: HERE}).candidates
    assert (opened.shown.number, closed.shown.number, family.shown.number) == (nik(1), None, kk(1))


def test_a_limited_person_is_given_without_numbers_and_said_to_stand_for_a_family():
    resolution = resolve(of_household(), [link(1, 1, 1)], {1: LIMITED})
    assert resolution.candidates[0].shown.number is None
    assert resolution.candidates[0].kks == ()
    assert "family_withheld" in codes(resolution)


def test_of_a_withheld_family_one_person_alone_is_given():
    links = [link(1, 1, 1), link(1, 2, 2)]
    (candidate,) = resolve(of_household(), links, {1: LIMITED, 2: LIMITED}).candidates
    assert len(candidate.niks) == 1


def test_only_people_who_lead_to_a_listed_candidate_leave():
    links = [link(1, 1, 1), link(1, 2, 2), link(1, 3, 3)]
    people = {1: on_card(1), 2: on_card(1, limited=True), 3: on_card(3, sight="outside_wilayah")}
    (candidate,) = resolve(of_household(), links, people).candidates
    assert (candidate.niks, candidate.kks) == ((nik(1),), (kk(1),))


def test_the_best_and_newest_link_is_the_evidence():
    links = [
        link(1, 1, 1, **WEAK),
        link(1, 1, 1, source="bdt-2015", linked_on=date(2016, 1, 1)),
        link(1, 1, 1, source="siks-ng", linked_on=date(2023, 1, 1)),
    ]
    (candidate,) = resolve(of_member(), links, {1: HERE}).candidates
    assert candidate.evidence == links[2]


def test_a_death_that_the_release_does_not_know_is_to_be_confirmed():
    resolution = resolve(of_member(), [link(1, 1, 1, state="deceased")], {1: HERE})
    assert resolution.outcome == "deceased"
    assert codes(resolution) == ["look_up_the_living", "confirm_the_death"]


def test_members_who_never_matched_are_mentioned():
    _, links, people, _, _ = TABLE["a household of which one member matched"]
    assert codes(resolve(of_household(), links, people)) == ["members_unmatched"]


def test_an_earlier_failure_to_match_does_not_keep_a_member_alive():
    links = [link(1, 1, **UNMATCHED), link(1, 1, 1)]
    resolution = resolve(of_household(), links, {1: DEAD})
    assert resolution.outcome == "deceased"


def test_an_unknown_number_that_looks_like_a_nik_says_so():
    resolution = resolve(("id_dtks", nik(1)), [], {})
    assert codes(resolution) == ["check_the_document", "looks_like_nik_or_kk"]


def test_more_candidates_than_can_be_listed_are_cut_and_said():
    links = [link(1, 1, number) for number in range(MOST_CANDIDATES + 1)]
    people = dict.fromkeys(range(MOST_CANDIDATES + 1), HERE)
    resolution = resolve(of_member(), links, people)
    assert resolution.outcome == "ambiguous"
    assert len(resolution.candidates) == MOST_CANDIDATES
    assert "more_candidates" in codes(resolution)
