"""What agencies may ask as of: releases that were in force, by id or by the end of a day (WIB)."""

import asyncio

import asyncpg
import pytest

from dtsen.errors import InvalidRequest, NoRelease, Unavailable
from dtsen.releases.activate import activate, destroy, rollback
from dtsen.releases.current import published_releases, release_as_of
from dtsen.releases.load import load
from tests.dtsen.releases.folders import rows, write


@pytest.fixture
def ask(urls):
    """Call a function of the reading side with a pool of the API's login."""

    def ask(function, *arguments):
        async def run():
            async with asyncpg.create_pool(urls.api, min_size=1, max_size=1) as pool:
                return await function(pool, *arguments)

        return asyncio.run(run())

    return ask


@pytest.fixture
def active(urls, owner, tmp_path):
    """Q1, then Q2, then Q1 again, since three instants; Q3 is loaded and never was in force."""
    for release in ("2026-Q1", "2026-Q2", "2026-Q3"):
        members = {"release": release, "next_publication": "2026-12-20"}
        load(urls, write(tmp_path / release, rows(), **members), lambda *_: None)
    activate(owner, "2026-Q1")
    activate(owner, "2026-Q2")
    rollback(owner)
    instants = ("2026-07-20 17:00:00+00", "2026-10-20 16:59:59.999999+00", "2026-11-01 03:00:00+00")
    listed = owner.execute("SELECT seq FROM registry.activation ORDER BY seq").fetchall()
    for (seq,), instant in zip(listed, instants, strict=True):
        owner.execute(
            "UPDATE registry.activation SET activated_at = %s WHERE seq = %s", (instant, seq)
        )


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize(
    ("day", "release"),
    [
        ("2026-07-21", "2026-Q1"),  # active since midnight in Jakarta
        ("2026-10-19", "2026-Q1"),
        ("2026-10-20", "2026-Q2"),  # active since the last instant of that day
        ("2026-10-31", "2026-Q2"),
        ("2026-11-01", "2026-Q1"),
        ("2026-Q1", "2026-Q1"),
        ("2026-Q2", "2026-Q2"),
    ],
)
def test_a_day_means_the_release_active_at_its_end(ask, day, release):
    found = ask(release_as_of, day)
    assert (found.id, found.metadata_version) == (release, "v3/2026")


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize("as_of", ["2026-07-20", "2026-Q3", "2025-Q1"])
def test_before_the_first_and_never_in_force_there_is_none(ask, as_of):
    with pytest.raises(NoRelease):
        ask(release_as_of, as_of)


@pytest.mark.usefixtures("active")
def test_a_destroyed_release_is_not_answered_by_another(ask, owner):
    destroy(owner, "2026-Q2")
    for as_of in ("2026-10-25", "2026-Q2"):
        with pytest.raises(NoRelease):
            ask(release_as_of, as_of)
    assert [release.id for release in ask(published_releases)] == ["2026-Q1"]


@pytest.mark.usefixtures("active")
def test_a_day_that_does_not_exist_is_an_invalid_request(ask):
    with pytest.raises(InvalidRequest) as raised:
        ask(release_as_of, "2026-02-30")
    assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [
        ("/as_of", "not-a-date")
    ]


def test_without_as_of_there_is_nothing_to_look_up(ask):
    assert ask(release_as_of, None) is None


@pytest.mark.usefixtures("active")
def test_agencies_see_the_releases_that_were_in_force(ask):
    listed = ask(published_releases)
    assert [(release.id, release.active) for release in listed] == [
        ("2026-Q1", True),
        ("2026-Q2", False),
    ]
    assert str(listed[0].next_publication) == "2026-12-20"


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize("arguments", [(release_as_of, "2026-Q1"), (published_releases,)])
def test_a_database_that_cannot_be_asked_is_an_outage(ask, owner, arguments):
    owner.execute("ALTER TABLE registry.release RENAME TO away")
    try:
        with pytest.raises(Unavailable):
            ask(*arguments)
    finally:
        owner.execute("ALTER TABLE registry.away RENAME TO release")
