"""Which release is in force: activation, rollback and destruction, also under readers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest

from dtsen.database import connect
from dtsen.releases.activate import activate, destroy, rollback
from dtsen.releases.layout import individual_table
from dtsen.releases.listing import every_release, kept_releases
from dtsen.releases.load import load
from dtsen.releases.refusals import (
    NothingToRollBackTo,
    ReleaseBusy,
    ReleaseInForce,
    UnknownRelease,
)
from tests.dtsen.releases.folders import member, nik, rows, write

RELEASES = ("2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4")


@pytest.fixture
def loaded(urls, owner, tmp_path):
    """Four releases in which the one person's name is the release's id; ordinals by id."""
    for release in RELEASES:
        contents = rows(anggota=[member(1, nama=f"Rilis {release}")], perubahan=[])
        load(urls, write(tmp_path / release, contents, release=release), lambda *_: None)
    return {release.id: release.ordinal for release in kept_releases(owner)}


def in_force(owner):
    return [release.id for release in every_release(owner) if release.in_force]


@pytest.mark.usefixtures("loaded")
def test_activation_moves_the_pointer_and_is_remembered(owner):
    assert in_force(owner) == []
    assert activate(owner, "2026-Q1")
    before = moved_at(owner)
    assert activate(owner, "2026-Q2")
    assert in_force(owner) == ["2026-Q2"]
    assert moved_at(owner) > before
    assert not activate(owner, "2026-Q2")
    count = owner.execute("SELECT count(*) FROM registry.activation").fetchone()
    assert count == (2,)


def moved_at(owner):
    return owner.execute("SELECT moved_at FROM registry.pointer").fetchone()[0]


@pytest.mark.usefixtures("loaded")
def test_the_mark_that_workers_watch_grows_even_if_the_clock_stands_still(owner):
    owner.execute("UPDATE registry.pointer SET moved_at = now() + interval '1 day'")
    before = moved_at(owner)
    activate(owner, "2026-Q1")
    assert moved_at(owner) > before


@pytest.mark.usefixtures("loaded")
def test_rollback_goes_back_step_by_step_and_not_forth(owner):
    with pytest.raises(NothingToRollBackTo):
        rollback(owner)
    for release in ("2026-Q1", "2026-Q2", "2026-Q3"):
        activate(owner, release)
    assert rollback(owner) == "2026-Q2"
    assert rollback(owner) == "2026-Q1"
    with pytest.raises(NothingToRollBackTo):
        rollback(owner)
    assert in_force(owner) == ["2026-Q1"]
    activate(owner, "2026-Q3")
    activate(owner, "2026-Q4")
    destroy(owner, "2026-Q3")
    assert rollback(owner) == "2026-Q1"


def test_destruction_drops_the_tables_and_keeps_the_entry(owner, loaded):
    activate(owner, "2026-Q1")
    with pytest.raises(ReleaseInForce):
        destroy(owner, "2026-Q1")
    destroy(owner, "2026-Q2")
    left = owner.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'registry' AND tablename LIKE %s",
        (f"%\\_{loaded['2026-Q2']}",),
    ).fetchone()
    assert left == (0,)
    gone = next(release for release in every_release(owner) if release.id == "2026-Q2")
    assert gone.state == "destroyed"
    assert gone.destroyed_at is not None
    for act in (activate, destroy):
        with pytest.raises(UnknownRelease):
            act(owner, "2026-Q2")


def test_a_release_in_use_is_not_destroyed_but_after_its_readers(urls, owner, loaded, monkeypatch):
    monkeypatch.setattr("dtsen.releases.activate._PATIENCE", "SET LOCAL lock_timeout = '50ms'")
    monkeypatch.setattr("dtsen.releases.activate._ATTEMPTS", 2)
    with connect(urls.api) as reader:
        table = individual_table(loaded["2026-Q1"])
        reader.execute(f"SELECT nama FROM {table}")  # noqa: S608 - made of an integer
        with pytest.raises(ReleaseBusy):
            destroy(owner, "2026-Q1")
        assert {release.id for release in kept_releases(owner)} == set(RELEASES)
    destroy(owner, "2026-Q1")
    assert "2026-Q1" not in {release.id for release in kept_releases(owner)}


@pytest.mark.usefixtures("loaded")
def test_readers_always_see_one_whole_release_and_never_an_older_one(urls, owner):
    activate(owner, "2026-Q1")
    done = threading.Event()

    def read():
        """Read the pointer and what it points at, until told to stop; how often."""
        reads = 0
        with connect(urls.api, autocommit=True) as connection:
            while not done.is_set():
                name, release = answer(connection)
                assert name == f"Rilis {release}"
                reads += 1
        return reads

    with ThreadPoolExecutor(3) as readers, connect(urls.api, autocommit=True) as after:
        reading = [readers.submit(read) for _ in range(3)]
        try:
            for turn in range(150):
                release = RELEASES[turn % 3]
                activate(owner, release)
                assert answer(after) == (f"Rilis {release}", release)
                back = rollback(owner) if turn % 5 == 4 else release
                assert answer(after)[1] == back
        finally:
            done.set()
        assert min(future.result() for future in reading) > 10


def answer(connection):
    """One lookup as a worker makes it: the pointer, then the table it names."""
    ordinal, release = connection.execute(
        "SELECT r.ordinal, r.id FROM registry.pointer p JOIN registry.release r USING (ordinal)"
    ).fetchone()
    (name,) = connection.execute(
        f"SELECT nama FROM {individual_table(ordinal)}"  # noqa: S608 - made of an integer
        " WHERE nomor_induk_kependudukan = %s",
        (nik(1),),
    ).fetchone()
    return name, release


@pytest.mark.usefixtures("loaded")
def test_acts_at_the_same_time_follow_one_another(urls, owner):
    def act(number):
        with connect(urls.owner, autocommit=True) as connection:
            for turn in range(10):
                activate(connection, RELEASES[(number + turn) % 4])

    with ThreadPoolExecutor(4) as actors:
        list(actors.map(act, range(4)))
    logged = owner.execute("SELECT ordinal FROM registry.activation ORDER BY seq").fetchall()
    log = [ordinal for (ordinal,) in logged]
    assert all(one != other for one, other in pairwise(log))
    assert owner.execute("SELECT ordinal FROM registry.pointer").fetchone() == (log[-1],)


@pytest.mark.usefixtures("loaded")
def test_the_api_login_moves_nothing(urls):
    with connect(urls.api, autocommit=True) as connection:
        for act in (activate, destroy):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                act(connection, "2026-Q1")
