import re
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from schemas.scopes import (
    OPERATIONS,
    SCOPE_NAMES,
    Scope,
    UnknownScope,
    groups_opened,
    parse_scopes,
    sentence,
)
from schemas.variables import GROUPS

CONTRACT = Path(__file__).parents[2] / "docs" / "contract.md"
NAMES = st.sampled_from(SCOPE_NAMES)


def test_the_operations_are_those_of_the_contract():
    page = CONTRACT.read_text("utf-8")
    scopes = re.findall(
        r"`((?:[a-z]+):"
        r"(?:read|write|match|find|check|resolve|translate|create|entries|subjects))`",
        page,
    )

    assert set(OPERATIONS) == set(scopes)


@pytest.mark.parametrize("name", SCOPE_NAMES)
def test_a_scope_is_written_as_it_is_read_and_says_what_it_allows(name):
    scope = Scope.parse(name)

    assert str(scope) == name
    assert sentence(scope).id
    assert sentence(scope).en


def test_only_operations_that_carry_variables_can_be_narrowed_to_a_group():
    narrowed = {name.partition("/")[0] for name in SCOPE_NAMES if "/" in name}

    assert narrowed == {
        "individuals:read",
        "individuals:match",
        "individuals:find",
        "families:read",
        "history:read",
        "exports:create",
        "changes:read",
    }


def test_operations_about_people_are_told_from_the_others():
    others = {name for name, operation in OPERATIONS.items() if not operation.people}

    assert others == {"feedback:write", "audit:read", "audit:subjects", "log:entries"}


@pytest.mark.parametrize(
    "written",
    ["", "individuals", "individuals:read/", "individuals:read/wealth", "audit:read/identity", "*"],
)
def test_an_unknown_scope_is_refused(written):
    with pytest.raises(UnknownScope):
        Scope.parse(written)


def test_a_whole_operation_covers_its_groups_and_a_group_itself_alone():
    whole, welfare, health = (
        Scope.parse(name)
        for name in (
            "individuals:read",
            "individuals:read/welfare",
            "individuals:read/health",
        )
    )

    assert whole.covers(welfare)
    assert welfare.covers(welfare)
    assert not welfare.covers(whole)
    assert not welfare.covers(health)
    assert not Scope.parse("families:read").covers(welfare)


@given(NAMES, NAMES)
@settings(max_examples=100)
def test_a_scope_covers_another_exactly_if_it_opens_all_that_the_other_opens(one, other):
    scope, wanted = Scope.parse(one), Scope.parse(other)
    opens = groups_opened([one], wanted.operation)
    needs = groups_opened([other], wanted.operation)

    assert scope.covers(wanted) == (needs <= opens and scope.operation == wanted.operation)


def test_no_scope_opens_nothing():
    assert parse_scopes("") == frozenset()
    assert groups_opened([], "individuals:read") == frozenset()
    assert groups_opened(["families:read"], "individuals:read") == frozenset()


def test_scopes_add_up():
    some = ["individuals:read/welfare", "individuals:read/identity", "families:read"]

    assert groups_opened(some, "individuals:read") == {"welfare", "identity"}
    assert groups_opened(some, "families:read") == set(GROUPS)


def test_a_scope_that_is_no_longer_known_opens_nothing():
    assert groups_opened(["individuals:read/wealth", "welfare"], "individuals:read") == frozenset()


def test_one_unknown_scope_refuses_the_list():
    with pytest.raises(UnknownScope):
        parse_scopes("individuals:read individuals:delete")
