"""Following ids: to the end, never in circles, never over ids of which only a part was read."""

from dtsen.legacy.crosswalk import by_identifier, follow
from dtsen.legacy.identifiers import Identifier
from tests.legacy.worlds import household, link, member, of_member, trail

OLD = link(1, 1, 1, state="retired", replaced_by=member(2))
NEW = link(2, 1, 1)


def test_a_replaced_link_is_passed_and_the_last_one_is_the_end():
    walked = trail(of_member(1), [OLD, NEW])
    assert (walked.own, walked.passed, walked.ends) == ((OLD,), [OLD], [NEW])
    assert walked.reached == {OLD: Identifier(*of_member(1)), NEW: Identifier(*of_member(2))}


def test_a_replacement_that_is_nowhere_is_not_followed():
    walked = trail(of_member(1), [OLD])
    assert (walked.passed, walked.ends) == ([], [OLD])


def test_an_id_of_which_only_a_part_was_read_is_not_followed():
    asked = Identifier(*of_member(1))
    walked = follow(asked, by_identifier([OLD, NEW], known={asked}))
    assert (walked.passed, walked.ends) == ([], [OLD])


def test_a_circle_replaces_nothing():
    back = link(2, 1, 1, state="retired", replaced_by=member(1))
    for asked, own in ((of_member(1), OLD), (of_member(2), back)):
        walked = trail(asked, [OLD, back])
        assert (walked.passed, walked.ends) == ([], [own])


def test_a_household_reaches_all_links_of_the_one_that_replaced_it():
    own = link(1, state="retired", replaced_by=household(2))
    others = [link(2, 1, 1), link(2, 2, 2)]
    assert trail(("id_dtks", household(1)), [own, *others]).ends == others
