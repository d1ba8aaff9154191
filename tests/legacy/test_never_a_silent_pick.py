"""Properties over any crosswalk and any release: no silent pick, no stranger, no word of rows."""

from hypothesis import given, settings, strategies as st

from tests.legacy.worlds import (
    Someone,
    codes,
    household,
    ids,
    link,
    member,
    nik,
    of_household,
    of_member,
    person_id,
    resolve,
    trail,
)

NUMBERS = st.integers(1, 4)
TARGETS = st.one_of(
    st.none(),
    st.builds(household, NUMBERS),
    st.builds(member, NUMBERS, NUMBERS),
)
LINKS = st.lists(
    st.builds(
        link,
        NUMBERS,
        st.none() | NUMBERS,
        st.none() | NUMBERS,
        state=st.sampled_from(["linked", "unmatched", "deceased", "retired"]),
        replaced_by=TARGETS,
        score=st.none() | st.sampled_from([0.6, 0.9]),
        nomor_kartu_keluarga=st.none() | st.builds("330199150320{:04d}".format, NUMBERS),
    ),
    max_size=8,
)
PEOPLE = st.dictionaries(
    NUMBERS,
    st.builds(
        Someone,
        st.none() | NUMBERS,
        st.sampled_from(["active", "deceased", "inactive"]),
        st.sampled_from(["seen", "hidden", "outside_wilayah", "outside_desil"]),
        st.booleans(),
    ),
)
ASKED = st.one_of(st.builds(of_household, NUMBERS), st.builds(of_member, NUMBERS, NUMBERS))
NOBODY = {"invalid_format", "unknown", "unmatched", "out_of_snapshot"}


def inside(people):
    return {
        number: Someone(one.card, one.record, _opened(one), one.limited)
        for number, one in people.items()
    }


def _opened(one):
    return "hidden" if one.sight == "hidden" else "seen"


@given(ASKED, LINKS, PEOPLE)
def test_one_answer_means_one_candidate(asked, links, people):
    resolution = resolve(asked, links, people)
    if resolution.outcome in {"exact", "merged"}:
        assert len(resolution.candidates) == 1
    if resolution.outcome == "split":
        assert asked[0] == "id_dtks"
    if resolution.outcome in NOBODY:
        assert ids(resolution) == []
    if resolution.outcome in {"split", "ambiguous"}:
        assert resolution.candidates
        assert {"choose_the_family", "decide_by_documents"} & set(codes(resolution))


@given(ASKED, LINKS, PEOPLE)
def test_nobody_is_listed_whom_no_link_names_or_the_agreement_does_not_open(asked, links, people):
    resolution = resolve(asked, links, people)
    walked = trail(asked, links)
    named = {one.nomor_induk_kependudukan for one in (*walked.ends, *walked.passed)}
    visible = {nik(number) for number, one in people.items() if one.sight == "seen"}
    for candidate in resolution.candidates:
        assert set(candidate.niks) <= named & visible


@given(ASKED, LINKS, PEOPLE)
def test_rows_apply_after_the_outcome(asked, links, people):
    narrowed, whole = resolve(asked, links, people), resolve(asked, links, inside(people))
    assert narrowed.outcome in {whole.outcome, "out_of_snapshot"}
    assert set(ids(narrowed)) <= set(ids(whole)) | {
        one.shown.id for one in narrowed.candidates if one.withheld
    }


@given(ASKED, LINKS, PEOPLE, st.randoms(use_true_random=False))
def test_neither_file_nor_release_has_an_order(asked, links, people, random):
    shuffled, others = list(links), list(people.items())
    random.shuffle(shuffled)
    random.shuffle(others)
    one, other = resolve(asked, links, people), resolve(asked, shuffled, dict(others))
    assert (one.outcome, ids(one), set(one.advice)) == (
        other.outcome,
        ids(other),
        set(other.advice),
    )


@given(ASKED, LINKS)
def test_following_replacements_ends_and_loses_no_link(asked, links):
    walked = trail(asked, links)
    assert set(walked.own) <= {*walked.ends, *walked.passed}
    assert bool(walked.ends) == bool(walked.own)
    assert not set(walked.ends) & set(walked.passed)


HISTORY = st.lists(
    st.fixed_dictionaries(
        {
            "merged": st.booleans(),
            "unmatched": st.booleans(),
            "collides": st.booleans(),
            "gone": st.booleans(),
            "card": NUMBERS,
            "sight": st.sampled_from(["seen", "outside_wilayah", "outside_desil"]),
        }
    ),
    min_size=1,
    max_size=6,
)


def crosswalk_of(history):
    """Links of people 1, 2, ... with known histories, and whose id each one truly is."""
    links, truth, people = [], {}, {}
    for number, past in enumerate(history, 1):
        if not past["gone"]:
            people[number] = Someone(past["card"], sight=past["sight"])
        if past["unmatched"]:
            links.append(link(number, 1, state="unmatched", method="none"))
            truth[of_member(number)] = None
            continue
        truth[of_member(number)] = number
        links.append(link(number, 1, number))
        if past["merged"]:
            links.append(link(number + 50, 1, number, state="retired", replaced_by=member(number)))
            truth[of_member(number + 50)] = number
        if past["collides"] and number > 1:
            links.append(link(number - 1, 1, number, method="name_birth_date", score=0.6))
    return links, truth, people


@settings(max_examples=300)
@given(HISTORY)
def test_a_round_trip_never_lands_on_another_person(history):
    links, truth, people = crosswalk_of(history)
    for asked, number in truth.items():
        resolution = resolve(asked, links, people)
        named = {
            one.nomor_induk_kependudukan
            for one in trail(asked, links).ends
            if one.state == "linked"
        }
        if resolution.outcome in {"exact", "merged"} and number is not None:
            assert ids(resolution) == [person_id(number)]
        if len(named) > 1 and ids(resolution):
            assert resolution.outcome == "ambiguous"
