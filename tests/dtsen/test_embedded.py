"""The embedded PostgreSQL lives, dies and is shared as it should, on the real thing."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from dtsen.embedded import ClusterInUse, cluster, running
from dtsen.embedded.launcher import await_end, inhabitants
from tests.embedded_cluster import (
    PARENT,
    SECONDS,
    mark,
    parent_process,
    place_of,
    postmaster,
    rows,
    settings_of,
    start_python,
    until_answers,
)


@contextmanager
def busy_backend(url: str) -> Iterator[int]:
    """A backend that computes and listens to nobody; yields its process id."""
    connection = psycopg.connect(url, autocommit=True)
    pid = connection.info.backend_pid

    def compute() -> None:
        with suppress(psycopg.Error):
            connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)")

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        with psycopg.connect(url) as watch:
            active = "SELECT state FROM pg_stat_activity WHERE pid = %s"
            while watch.execute(active, (pid,)).fetchone() != ("active",):
                watch.rollback()
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        thread.join(SECONDS)
        connection.close()


KEEPER = "postgresql-keeper"


def test_a_second_start_finds_data_port_and_passwords_of_the_first(home):
    with cluster(settings_of(home)) as first:
        mark(first.owner, 1)
        server = postmaster(home)
    assert not Path(f"/proc/{server}").exists()
    assert running(settings_of(home)) is None
    with cluster(settings_of(home)) as second:
        assert second == first
        assert rows(second) == [1]


def test_the_server_ends_with_a_parent_killed_and_the_next_start_keeps_the_data(home):
    with parent_process(home) as (process, url):
        mark(url, 1)
        server = postmaster(home)
        process.kill()
        process.wait(SECONDS)
        # At once, while the old server may still be stopping.
        with cluster(settings_of(home)) as urls:
            assert await_end(server, 0)
            assert rows(urls) == [1]


def test_the_server_ends_by_itself_when_its_parent_is_killed(home):
    with parent_process(home) as (process, _):
        server = postmaster(home)
        process.kill()
        assert await_end(server, SECONDS)
    assert inhabitants(place_of(home).data) == set()


def test_a_killed_postmaster_comes_back_on_the_same_port_with_its_data(home):
    with cluster(settings_of(home)) as urls:
        mark(urls.owner, 1)
        with busy_backend(urls.owner) as orphan:
            killed = postmaster(home)
            os.kill(killed, signal.SIGKILL)
            until_answers(urls.owner)
            assert await_end(orphan, 0)
        assert postmaster(home) != killed
        assert rows(urls) == [1]


def test_after_parent_and_postmaster_were_killed_the_next_start_ends_the_orphans(home):
    with parent_process(home) as (process, url):
        mark(url, 1)
        with busy_backend(url) as orphan:
            process.send_signal(signal.SIGSTOP)  # So that it does not start the server again.
            os.kill(postmaster(home), signal.SIGKILL)
            process.kill()
            process.wait(SECONDS)
            assert not await_end(orphan, 0)
            with cluster(settings_of(home)) as urls:
                assert await_end(orphan, 0)
                assert rows(urls) == [1]


def test_a_killed_backend_takes_nothing_committed_with_it(home):
    with cluster(settings_of(home)) as urls:
        mark(urls.owner, 1)
        with busy_backend(urls.owner) as backend:
            server = postmaster(home)
            os.kill(backend, signal.SIGKILL)
            assert await_end(backend, SECONDS)
            until_answers(urls.owner)
        assert postmaster(home) == server
        assert rows(urls) == [1]


def test_a_server_that_cannot_start_again_is_not_tried_for_ever(home, caplog):
    others = set(threading.enumerate())  # other tests' servers have keepers too
    with cluster(settings_of(home)) as urls:
        (keeper,) = (t for t in threading.enumerate() if t.name == KEEPER and t not in others)
        place_of(home).configuration.write_text("no such setting")
        os.kill(postmaster(home), signal.SIGKILL)
        keeper.join(SECONDS)
        assert not keeper.is_alive()
        assert running(settings_of(home)) is None
        assert "keeps ending" in caplog.text
    with cluster(settings_of(home)) as again:
        assert again == urls


def test_a_second_master_is_refused_and_told_the_first_ones_process(home):
    with (
        parent_process(home) as (process, _),
        pytest.raises(ClusterInUse, match=f"in use by process {process.pid};"),
        cluster(settings_of(home)),
    ):
        pytest.fail("two masters")


def test_other_commands_attach_to_the_running_cluster_and_leave_it_running(home):
    with parent_process(home) as (_, url):
        with cluster(settings_of(home), attach=True) as urls:
            assert urls.owner == url
        assert running(settings_of(home)) == urls
        until_answers(url)


def test_a_command_that_attaches_waits_for_a_cluster_that_is_just_starting(home):
    code = PARENT.replace("home=Path(sys.argv[1]))", "home=Path(sys.argv[1])), attach=True")
    with start_python(code, home) as one, start_python(code, home) as two:
        assert one.stdout is not None
        assert two.stdout is not None
        assert one.stdout.readline() == two.stdout.readline() != ""
        for process in (one, two):
            process.communicate("", SECONDS)
            assert process.returncode == 0


def test_where_nothing_runs_a_command_that_attaches_starts_the_cluster(home):
    with cluster(settings_of(home), attach=True) as urls:
        assert running(settings_of(home)) == urls
    assert running(settings_of(home)) is None
