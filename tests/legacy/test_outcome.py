"""The truth table of outcomes: each one, each precedence, rows, restrictions, merges and splits."""

from datetime import date

import pytest

from dtsen.legacy.identifiers import Identifier
from dtsen.legacy.outcome import MOST_CANDIDATES, OUTCOMES
from tests.legacy.worlds import (
    Someone,
    codes,
    family_id,
    household,
    ids,
    kk,
    link,
    member,
    nik,
    of_household,
    of_member,
    person_id,
    replacements,
    resolve,
)

HERE = Someone()
DEAD = Someone(record="deceased")
ELSEWHERE = Someone(sight="outside_wilayah")
RICHER = Someone(sight="outside_desil")
HIDDEN = Someone(sight="hidden")
LIMITED = Someone(limited=True)
UNMATCHED = {"state": "unmatched", "method": "none"}
WEAK = {"method": "name_birth_date", "score": 0.7}


def on_card(number, **changed):
    return Someone(card=number, **changed)


def merged(house, into, suffix=1, who=1, **said):
    """A replaced link of a member, and the one that replaced it."""
    return [
        link(house, suffix, who, state="retired", replaced_by=member(into, suffix), **said),
        link(into, suffix, who),
    ]


TABLE = {
    # name: (asked, links, people, outcome, ids of the candidates in order)
    "a member by number": (of_member(), [link(1, 1, 1)], {1: HERE}, "exact", [person_id(1)]),
    "a household of one family": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: HERE, 2: HERE},
        "exact",
        [family_id(1)],
    ),
    "an idsemesta": (
        ("idsemesta", "sintetis-1"),
        [link(1, 1, 1, idsemesta="sintetis-1")],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    "a household by family card alone": (
        of_household(),
        [link(1, nomor_kartu_keluarga=kk(1))],
        {1: HERE},
        "exact",
        [family_id(1)],
    ),
    "a person without a family card": (
        of_household(),
        [link(1, 1, 1)],
        {1: on_card(None)},
        "exact",
        [person_id(1)],
    ),
    "a retired id that nothing replaced": (
        of_member(),
        [link(1, 1, 1, state="retired")],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    "a replacement that leads nowhere": (
        of_member(),
        [link(1, 1, 1, state="retired", replaced_by=member(9))],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    "the same link said twice": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 1, source="siks-ng", **WEAK)],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    "a form that is none": (("id_dtks", "33019909990001"), [], {}, "invalid_format", []),
    "an id that nobody ever saw": (of_member(), [], {}, "unknown", []),
    "a member who never matched": (of_member(), [link(1, 1, **UNMATCHED)], {}, "unmatched", []),
    "a number that never matched stands for nobody": (
        of_member(),
        [link(1, 1, 1, **UNMATCHED)],
        {1: HERE},
        "unmatched",
        [],
    ),
    "a member of whom only the family card is known": (
        of_member(),
        [link(1, 1, nomor_kartu_keluarga=kk(1))],
        {1: HERE},
        "unmatched",
        [],
    ),
    "a household that never matched": (
        of_household(),
        [link(1, 1, **UNMATCHED), link(1, 2, **UNMATCHED)],
        {},
        "unmatched",
        [],
    ),
    "a household of which one member matched": (
        of_household(),
        [link(1, 1, 1), link(1, 2, **UNMATCHED)],
        {1: HERE},
        "exact",
        [family_id(1)],
    ),
    "merged into an id that never matched": (
        of_member(),
        [link(1, 1, state="retired", replaced_by=member(2)), link(2, 1, **UNMATCHED)],
        {},
        "unmatched",
        [],
    ),
    "a dead member": (of_member(), [link(1, 1, 1)], {1: DEAD}, "deceased", [person_id(1)]),
    "a death that the link alone knows": (
        of_member(),
        [link(1, 1, state="deceased")],
        {},
        "deceased",
        [],
    ),
    "a dead member who is not in the release": (
        of_member(),
        [link(1, 1, 1, state="deceased")],
        {},
        "deceased",
        [],
    ),
    "a household whose people all died": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2, state="deceased")],
        {1: DEAD, 2: DEAD},
        "deceased",
        [family_id(1)],
    ),
    "a household of which somebody lives": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1, record="deceased"), 2: on_card(2)},
        "exact",
        [family_id(2)],
    ),
    "a household whose only other member never matched": (
        of_household(),
        [link(1, 1, 1), link(1, 2, **UNMATCHED)],
        {1: DEAD},
        "exact",
        [family_id(1)],
    ),
    "a household whose only other member is in no release": (
        of_household(),
        [link(1, 1, state="deceased"), link(1, 2, 2)],
        {},
        "out_of_snapshot",
        [],
    ),
    "a family card whose people all died": (
        of_household(),
        [link(1, nomor_kartu_keluarga=kk(1))],
        {1: DEAD, 2: DEAD},
        "deceased",
        [family_id(1)],
    ),
    "merged into somebody who died": (
        of_member(1),
        merged(1, 2),
        {1: DEAD},
        "deceased",
        [person_id(1)],
    ),
    "a member who is not in the release": (of_member(), [link(1, 1, 1)], {}, "out_of_snapshot", []),
    "a family card that is not in the release": (
        of_household(),
        [link(1, nomor_kartu_keluarga=kk(1))],
        {},
        "out_of_snapshot",
        [],
    ),
    "merged into somebody who is not in the release": (
        of_member(1),
        merged(1, 2),
        {},
        "out_of_snapshot",
        [],
    ),
    "two candidates who both died": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: DEAD, 2: DEAD},
        "deceased",
        [person_id(1), person_id(2)],
    ),
    "two families whose people all died": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1, record="deceased"), 2: on_card(2, record="deceased")},
        "deceased",
        [family_id(1), family_id(2)],
    ),
    "two candidates who are nowhere": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {},
        "out_of_snapshot",
        [],
    ),
    "a household whose members are nowhere or never matched": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2), link(1, 3, **UNMATCHED)],
        {},
        "out_of_snapshot",
        [],
    ),
    "one id for two people, unequal": (
        of_member(),
        [link(1, 1, 1, **WEAK), link(1, 1, 2)],
        {1: HERE, 2: HERE},
        "ambiguous",
        [person_id(2), person_id(1)],
    ),
    "one id for two people, equal": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: HERE, 2: HERE},
        "ambiguous",
        [person_id(1), person_id(2)],
    ),
    "one id for the living and the dead": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: HERE, 2: DEAD},
        "ambiguous",
        [person_id(1), person_id(2)],
    ),
    "one id for somebody here and somebody who is nowhere": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: HERE},
        "ambiguous",
        [person_id(1)],
    ),
    "a household by two cards, unequal": (
        of_household(),
        [link(1, nomor_kartu_keluarga=kk(1), **WEAK), link(1, nomor_kartu_keluarga=kk(2))],
        {1: on_card(1), 2: on_card(2)},
        "ambiguous",
        [family_id(2), family_id(1)],
    ),
    "two families, one by a name alone": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2, **WEAK)],
        {1: on_card(1), 2: on_card(2)},
        "ambiguous",
        [family_id(1), family_id(2)],
    ),
    "a household whose one member may be two people": (
        of_household(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: on_card(1), 2: on_card(2)},
        "ambiguous",
        [family_id(1), family_id(2)],
    ),
    "two people for one member, but one family": (
        of_household(),
        [link(1, 1, 1), link(1, 1, 2, **WEAK)],
        {1: HERE, 2: HERE},
        "exact",
        [family_id(1)],
    ),
    "merged into an id of somebody else": (
        of_member(1),
        [link(1, 1, 1, state="retired", replaced_by=member(2)), link(2, 1, 2)],
        {1: HERE, 2: HERE},
        "ambiguous",
        [person_id(1), person_id(2)],
    ),
    "a household merged into one of somebody else": (
        of_household(1),
        [link(1, 1, 1, state="retired", replaced_by=member(2)), link(2, 1, 2)],
        {1: on_card(1), 2: on_card(2)},
        "ambiguous",
        [family_id(1), family_id(2)],
    ),
    "one household, two families": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2), link(1, 3, 3)],
        {1: on_card(1), 2: on_card(2), 3: on_card(1)},
        "split",
        [family_id(1), family_id(2)],
    ),
    "a family of a name and a number is as good as one of a number": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2), link(1, 3, 3, **WEAK)],
        {1: on_card(1), 2: on_card(2), 3: on_card(2)},
        "split",
        [family_id(1), family_id(2)],
    ),
    "merged into a household of two families": (
        of_household(1),
        [*merged(1, 2, 1, 1), *merged(1, 2, 2, 2)],
        {1: on_card(1), 2: on_card(2)},
        "split",
        [family_id(1), family_id(2)],
    ),
    "a member merged": (of_member(1), merged(1, 2), {1: HERE}, "merged", [person_id(1)]),
    "a household merged": (of_household(1), merged(1, 2), {1: HERE}, "merged", [family_id(1)]),
    "a household merged by its own row": (
        of_household(1),
        [link(1, state="retired", replaced_by=household(2)), link(2, 1, 1)],
        {1: HERE},
        "merged",
        [family_id(1)],
    ),
    "merged away from a number that is gone": (
        of_member(1),
        [link(1, 1, 7, state="retired", replaced_by=member(2)), link(2, 1, 1)],
        {1: HERE},
        "merged",
        [person_id(1)],
    ),
    "merged twice": (
        of_member(1),
        [
            link(1, 1, 1, state="retired", replaced_by=member(2)),
            link(2, 1, 1, state="retired", replaced_by=member(3)),
            link(3, 1, 1),
        ],
        {1: HERE},
        "merged",
        [person_id(1)],
    ),
    "the household that others were merged into": (
        of_household(2),
        merged(1, 2),
        {1: HERE},
        "exact",
        [family_id(1)],
    ),
    "a member merged within the household": (
        of_household(1),
        [link(1, 1, 1), link(1, 2, 1, state="retired", replaced_by=member(1, 1))],
        {1: HERE},
        "exact",
        [family_id(1)],
    ),
    "an own link besides a merged one": (
        of_member(1),
        [*merged(1, 2), link(1, 1, 1)],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    "ids that replace each other": (
        of_member(1),
        [
            link(1, 1, 1, state="retired", replaced_by=member(2)),
            link(2, 1, 1, state="retired", replaced_by=member(1)),
        ],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    "an id that replaces itself": (
        of_member(1),
        [link(1, 1, 1, state="retired", replaced_by=member(1))],
        {1: HERE},
        "exact",
        [person_id(1)],
    ),
    # Rows of the agreement apply after the outcome.
    "half a household outside the wilayah": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, sight="outside_wilayah")},
        "split",
        [family_id(1)],
    ),
    "half a household above the desil": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, sight="outside_desil")},
        "split",
        [family_id(1)],
    ),
    "one of two candidates outside": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2, **WEAK)],
        {1: ELSEWHERE, 2: HERE},
        "ambiguous",
        [person_id(2)],
    ),
    "nobody left inside": (of_member(), [link(1, 1, 1)], {1: RICHER}, "out_of_snapshot", []),
    "a split household wholly outside": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1, sight="outside_wilayah"), 2: on_card(2, sight="outside_desil")},
        "out_of_snapshot",
        [],
    ),
    "a death outside is not told": (
        of_member(),
        [link(1, 1, 1)],
        {1: Someone(record="deceased", sight="outside_wilayah")},
        "out_of_snapshot",
        [],
    ),
    "a merge outside is not told": (
        of_member(1),
        merged(1, 2),
        {1: ELSEWHERE},
        "out_of_snapshot",
        [],
    ),
    "the living outside keep a household from being dead": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1, record="deceased"), 2: on_card(2, sight="outside_wilayah")},
        "out_of_snapshot",
        [],
    ),
    # People under `hide` do not exist.
    "a hidden person": (of_member(), [link(1, 1, 1)], {1: HIDDEN}, "out_of_snapshot", []),
    "a hidden candidate": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: HERE, 2: HIDDEN},
        "exact",
        [person_id(1)],
    ),
    "the hidden half of a household": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, sight="hidden")},
        "exact",
        [family_id(1)],
    ),
    "the hidden one who lives": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: DEAD, 2: HIDDEN},
        "deceased",
        [family_id(1)],
    ),
    "a family card of hidden people alone": (
        of_household(),
        [link(1, nomor_kartu_keluarga=kk(1))],
        {1: HIDDEN},
        "out_of_snapshot",
        [],
    ),
    "a hidden person beside one who never matched": (
        of_household(),
        [link(1, 1, 1), link(1, 2, **UNMATCHED)],
        {1: HIDDEN},
        "out_of_snapshot",
        [],
    ),
    "merged away from a hidden person": (
        of_member(1),
        [link(1, 1, 1, state="retired", replaced_by=member(2)), link(2, 1, 2)],
        {1: HIDDEN, 2: HERE},
        "merged",
        [person_id(2)],
    ),
    # People under `limit` exist; what is withheld of them stays withheld.
    "a limited person": (of_member(), [link(1, 1, 1)], {1: LIMITED}, "exact", [person_id(1)]),
    "the family of a limited person": (
        of_household(),
        [link(1, 1, 1)],
        {1: LIMITED},
        "exact",
        [person_id(1)],
    ),
    "a limited person counts": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, limited=True)},
        "split",
        [person_id(2), family_id(1)],
    ),
    "a family that is open through another": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: LIMITED, 2: HERE},
        "exact",
        [family_id(1)],
    ),
}


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
