"""The embedded PostgreSQL against everything that may happen to it, on the real thing."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from dtsen.database import DatabaseUrls
from dtsen.embedded import ClusterInUse, EmbeddedError, cluster, running
from dtsen.embedded.binaries import install
from dtsen.embedded.configuration import MEGABYTE, shared_buffers
from dtsen.embedded.launcher import await_end, inhabitants
from dtsen.embedded.logins import read_logins
from dtsen.embedded.place import Place, account
from dtsen.embedded.server import LAUNCHER
from dtsen.settings import Settings
from tests.ordinary_user import Elsewhere
from tests.postgres import embedded_18, open_folder, packaged_15

SECONDS = 30
"""Bound of every wait; each ends with its event."""
PARENT = """
import sys
from pathlib import Path
from dtsen.embedded import cluster
from dtsen.settings import Settings
with cluster(Settings(home=Path(sys.argv[1]))) as urls:
    print(urls.owner, flush=True)
    sys.stdin.read()
"""
AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT RUN: only root can start a server as another account"
)


@pytest.fixture
def home() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "home"


def place_of(home: Path) -> Place:
    return Place(home, home / "postgres")


def settings_of(home: Path) -> Settings:
    return Settings(home=home)


def superuser_url(home: Path) -> str:
    logins = read_logins(place_of(home).logins)
    assert logins is not None
    return f"postgresql://postgres:{logins.superuser}@127.0.0.1:{logins.port}/dtsen"


def postmaster(home: Path) -> int:
    return int((place_of(home).data / "postmaster.pid").read_text().split()[0])


def rows(urls: DatabaseUrls | str) -> list[int]:
    with psycopg.connect(urls if isinstance(urls, str) else urls.owner) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM mark ORDER BY n")]


def mark(url: str, number: int) -> None:
    """Write a committed row that must be found after whatever comes."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mark (n integer)")
        connection.execute("INSERT INTO mark (n) VALUES (%s)", (number,))


def until_answers(url: str) -> None:
    """Connect until it works: PostgreSQL sends no news of being ready again."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
        else:
            return


def start_python(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True)  # noqa: S603 - our own code


@contextmanager
def parent_process(home: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Another process that runs the cluster; yields it and the owner's URL."""
    with start_python(PARENT, home) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


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
    with cluster(settings_of(home)) as urls:
        keeper = next(t for t in threading.enumerate() if t.name == "postgresql-keeper")
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
        # Whichever started it ends last, lest it take the cluster from the other.
        for process in (one, two):
            process.communicate("", SECONDS)
            assert process.returncode == 0


def test_where_nothing_runs_a_command_that_attaches_starts_the_cluster(home):
    with cluster(settings_of(home), attach=True) as urls:
        assert running(settings_of(home)) == urls
    assert running(settings_of(home)) is None


def test_existing_servers_are_used_instead_when_their_urls_are_given(home):
    given = {
        f"{role}database_url": f"postgresql://{role}x:y@db.example/dtsen"
        for role in ("", "owner_", "sequencer_", "auditor_")
    }
    settings = Settings(home=home, **given)
    with cluster(settings) as urls:
        assert urls.owner == given["owner_database_url"]
        assert running(settings) == urls
    assert not home.exists()


def test_a_data_directory_of_another_account_is_refused(home):
    place_of(home).pghome.mkdir(parents=True)
    place_of(home).data.symlink_to("/usr")
    with pytest.raises(EmbeddedError, match="belongs to uid 0"), cluster(settings_of(home)):
        pytest.fail("took over a foreign folder")


@pytest.mark.parametrize(("version", "words"), [("17\n", "made by PostgreSQL 17"), (None, "is no")])
def test_a_data_directory_of_another_version_or_none_is_refused(home, version, words):
    place = place_of(home)
    place.data.mkdir(parents=True)
    if version:
        (place.data / "PG_VERSION").write_text(version)
    who = account("nobody")
    os.chown(place.data, who.uid, who.gid)
    with (
        pytest.raises(EmbeddedError, match=words),
        cluster(Settings(home=home, pghome=place.pghome)),
    ):
        pytest.fail("started on something else")


def test_a_server_that_somebody_else_runs_in_the_data_directory_is_named_and_left_alone(home):
    with cluster(settings_of(home)):
        pass
    place, who = place_of(home), account("nobody")
    programs = install(place.pghome)
    us = [str(number) for number in (os.getpid(), who.uid, who.gid)]
    command = [sys.executable, LAUNCHER, *us, place.data, programs / "postgres", "-D", place.data]
    socketless = ["-c", "unix_socket_directories=", "-c", f"port={free_port()}"]
    with subprocess.Popen(  # noqa: S603 - our own copy of postgres
        [*command, *socketless], stderr=subprocess.PIPE, text=True
    ) as foreign:
        try:
            assert foreign.stderr is not None
            while "ready to accept" not in foreign.stderr.readline():
                assert foreign.poll() is None
            with (
                pytest.raises(EmbeddedError, match=f"in use by process {foreign.pid}"),
                cluster(settings_of(home)),
            ):
                pytest.fail("two servers in one data directory")
            assert foreign.poll() is None
        finally:
            foreign.send_signal(signal.SIGINT)
            foreign.communicate(timeout=SECONDS)


def test_a_pid_file_whose_number_another_program_has_now_does_not_block_the_start(home):
    with cluster(settings_of(home)) as urls:
        mark(urls.owner, 1)
    place, who = place_of(home), account("nobody")
    other = {"user": who.uid, "group": who.gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, cwd="/", **other) as cat:
        file = place.data / "postmaster.pid"
        file.write_text(f"{cat.pid}\n{place.data}\n1\n1\n\n127.0.0.1\n\nready\n")
        os.chown(file, who.uid, who.gid)
        with cluster(settings_of(home)) as urls:
            assert rows(urls) == [1]
        assert cat.poll() is None
        cat.kill()


def test_an_initdb_cut_short_is_begun_anew(home):
    place = place_of(home)
    place.draft.mkdir(parents=True)
    (place.draft / "PG_VERSION").write_text("18\n")
    with cluster(settings_of(home)) as urls:
        mark(urls.owner, 1)
        assert not place.draft.exists()


def test_a_port_taken_meanwhile_is_given_up_for_another_that_is_then_kept(home):
    with cluster(settings_of(home)) as first:
        pass
    port = int(first.api.rsplit(":", 1)[1].split("/")[0])
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with cluster(settings_of(home)) as second:
            assert second != first
    with cluster(settings_of(home)) as third:
        assert third == second


def test_a_home_made_anew_gets_a_new_cluster_and_the_old_one_is_kept_aside(home, caplog):
    place = place_of(home)
    with cluster(settings_of(home)) as urls:
        mark(urls.owner, 1)
    place.logins.unlink()
    with cluster(settings_of(home)) as urls, psycopg.connect(urls.owner) as connection:
        assert connection.execute("SELECT to_regclass('mark')").fetchone() == (None,)
    (kept,) = place.pghome.glob("data.2*")
    assert (kept / "PG_VERSION").exists()
    assert str(kept) in caplog.text


def test_lost_passwords_of_a_cluster_whose_place_was_chosen_are_refused(home):
    settings = Settings(home=home, pghome=home / "postgres")
    with cluster(settings):
        pass
    place_of(home).logins.unlink()
    with pytest.raises(EmbeddedError, match="passwords"), cluster(settings):
        pytest.fail("replaced a chosen cluster")


def test_the_programs_are_copied_once(home):
    with cluster(settings_of(home)):
        copied = install(place_of(home).pghome) / "postgres"
        before = copied.stat()
    with cluster(settings_of(home)):
        assert copied.stat().st_ino == before.st_ino


def test_passwords_are_kept_for_their_owner_alone_and_not_beside_the_cluster(home):
    with cluster(settings_of(home)):
        logins = place_of(home).logins
        assert logins.stat().st_mode & 0o777 == 0o600
        assert not logins.is_relative_to(place_of(home).pghome)
        assert place_of(home).log.stat().st_mode & 0o777 == 0o600


def test_the_server_sees_nothing_of_our_environment_and_no_ctrl_c_of_our_terminal(
    home, monkeypatch
):
    monkeypatch.setenv("DTSEN_HOME", str(home))
    with cluster(Settings()):
        server = postmaster(home)
        assert b"DTSEN" not in Path(f"/proc/{server}/environ").read_bytes()
        assert os.getsid(server) != os.getsid(0)
        if os.geteuid() != 0:
            assert Path(f"/proc/{server}").stat().st_uid == os.geteuid()


@AS_ROOT
def test_started_by_root_the_server_runs_as_the_account_named(home):
    with cluster(Settings(home=home, pguser="daemon")):
        uid = Path(f"/proc/{postmaster(home)}").stat().st_uid
    assert uid == pwd.getpwnam("daemon").pw_uid
    assert place_of(home).data.stat().st_uid == uid
    assert place_of(home).pghome.stat().st_uid == 0


@AS_ROOT
@pytest.mark.parametrize(
    ("pguser", "words"), [("no-such-account", "no-such-account"), ("root", "never runs as root")]
)
def test_started_by_root_an_account_that_will_not_do_is_refused(home, pguser, words):
    with (
        pytest.raises(EmbeddedError, match=words),
        cluster(Settings(home=home, pguser=pguser)),
    ):
        pytest.fail("started all the same")
    assert not home.exists()


@AS_ROOT
def test_a_place_that_the_account_cannot_enter_is_refused_with_the_way_out(home, tmp_path):
    with (
        pytest.raises(EmbeddedError, match="DTSEN_PGHOME"),
        cluster(Settings(home=home, pghome=tmp_path / "pg")),
    ):
        pytest.fail("started all the same")


def test_an_ordinary_user_starts_and_stops_a_cluster_of_their_own():
    who = pwd.getpwnam("nobody")
    with open_folder() as folder:
        mine = folder / "mine"
        mine.mkdir()
        if os.geteuid() == 0:
            os.chown(mine, who.pw_uid, who.pw_gid)
        elsewhere = Elsewhere(folder)
        for _ in range(2):
            process = elsewhere.start(PARENT, mine / "home", uid=who.pw_uid, gid=who.pw_gid)
            with process:
                assert process.stdout is not None
                url = process.stdout.readline().strip()
                assert url, process.communicate()[1]
                mark(url, 1)
                server = postmaster(mine / "home")
                assert Path(f"/proc/{server}").stat().st_uid == mine.stat().st_uid
                _, complaints = process.communicate("", SECONDS)
                assert (process.returncode, complaints) == (0, "")
        assert not Path(f"/proc/{server}").exists()


@AS_ROOT
def test_a_user_without_an_entry_in_passwd_is_told_why_it_cannot_be():
    stranger = 54_321
    with open_folder() as folder:
        (folder / "mine").mkdir()
        os.chown(folder / "mine", stranger, stranger)
        process = Elsewhere(folder).start(PARENT, folder / "mine", uid=stranger, gid=stranger)
        _, complaints = process.communicate("", SECONDS)
    assert "uid 54321 has no entry in the passwd file" in complaints


SHOWN = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "data_checksums": "on",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_messages": "log",
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "server_encoding": "UTF8",
    "TimeZone": "UTC",
    "jit": "off",
}


def test_both_servers_are_durable_silent_and_on_loopback_only(postgres):
    with psycopg.connect(postgres.api) as connection:
        shown = {
            name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            for name in SHOWN
        }
    assert shown == {name: (value,) for name, value in SHOWN.items()}
    # Only a superuser may ask for the socket's folder; the kernel tells everybody.
    assert f".s.PGSQL.{urlsplit(postgres.api).port}" not in Path("/proc/net/unix").read_text()


def fail_with(url: str, nik: str, *before: str) -> None:
    """Have statements fail that hold a NIK as literal, parameter, key, and in their own message."""
    failing = [
        (f"SELECT '{nik}'::date", ()),
        ("SELECT %s::integer", (f"{nik}x",)),
        ("SELECT 1 / (length(%s) - 16)", (nik,)),
        ("INSERT INTO person (nik) SELECT %s FROM generate_series(1, 2)", (nik,)),
        (f"SELECT nik_{nik}", ()),
        (f"DO $$ BEGIN RAISE WARNING '{nik}'; RAISE EXCEPTION '{nik}'; END $$", ()),
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ("CREATE TEMPORARY TABLE person (nik text PRIMARY KEY)", *before):
            connection.execute(statement)
        for statement, values in failing:
            with pytest.raises(psycopg.Error):
                connection.execute(statement, values)


def test_statements_that_fail_leave_no_trace_of_a_nik_in_the_servers_log(home):
    with cluster(settings_of(home)) as urls:
        fail_with(urls.owner, "3374990101900001")
        # The control: a session that logs as PostgreSQL usually does is seen by this same test.
        aloud = ("SET log_min_messages = warning", "SET log_min_error_statement = error")
        fail_with(superuser_url(home), "3374990101900002", *aloud)
    log = place_of(home).log.read_text()
    assert "3374990101900001" not in log
    assert log.count("3374990101900002") > len(aloud)


LOGINS = ("api", "sequencer", "auditor")
FORBIDDEN = (
    "CREATE TABLE public.loot (n integer)",
    "CREATE TEMPORARY TABLE loot (n integer)",
    "CREATE SCHEMA loot",
    "CREATE DATABASE loot",
    "CREATE ROLE loot",
    "SET ROLE dtsen_owner",
    "ALTER ROLE dtsen_owner PASSWORD 'x'",
    "SELECT pg_read_file('PG_VERSION')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SET log_min_messages = debug5",
)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_no_login_but_the_owner_can_make_or_become_anything(postgres, login, statement):
    with (
        psycopg.connect(getattr(postgres, login), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


MEMBERSHIPS = """
SELECT member.rolname FROM pg_auth_members
  JOIN pg_roles AS member ON member.oid = member
 WHERE member.rolname LIKE 'dtsen%'
"""
RIGHTS = """
SELECT rolname FROM pg_roles
 WHERE rolname LIKE 'dtsen%' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication
       OR rolbypassrls)
"""


def test_no_login_is_a_member_of_another_or_has_a_right_over_the_server(postgres):
    with psycopg.connect(postgres.owner) as connection:
        assert connection.execute(MEMBERSHIPS).fetchall() == []
        assert connection.execute(RIGHTS).fetchall() == []
        found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'dtsen%'")
        assert len(found.fetchall()) == 4


def test_a_function_of_the_owner_runs_for_nobody_who_was_not_named(postgres):
    with psycopg.connect(postgres.owner) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("GRANT USAGE ON SCHEMA shop TO dtsen_api")
        connection.execute("CREATE FUNCTION shop.one() RETURNS integer RETURN 1")
    try:
        with (
            psycopg.connect(postgres.api) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("SELECT shop.one()")
    finally:
        with psycopg.connect(postgres.owner) as connection:
            connection.execute("DROP SCHEMA shop CASCADE")


def test_the_logins_reach_their_own_database_only(postgres):
    for login in ("owner", *LOGINS):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(getattr(postgres, login).replace("/dtsen", "/postgres"))


def test_a_wrong_password_opens_nothing(postgres):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.api.replace("dtsen_api:", "dtsen_api:x"))


@pytest.mark.parametrize("server", [embedded_18, packaged_15])
def test_every_start_takes_back_rights_that_a_login_got_meanwhile(home, server):
    drift = ("GRANT dtsen_owner TO dtsen_api", "ALTER ROLE dtsen_api CREATEDB BYPASSRLS")
    with server(home.parent), psycopg.connect(superuser_url(home)) as connection:
        for statement in drift:
            connection.execute(statement)
        assert connection.execute(MEMBERSHIPS).fetchall() == [("dtsen_api",)]
    with server(home.parent) as urls, psycopg.connect(urls.owner) as connection:
        assert connection.execute(MEMBERSHIPS).fetchall() == []
        assert connection.execute(RIGHTS).fetchall() == []


def test_the_server_takes_a_quarter_of_the_memory_within_bounds():
    assert shared_buffers(2048 * MEGABYTE) == 512 * MEGABYTE
    assert shared_buffers(64 * 1024 * MEGABYTE) == 1024 * MEGABYTE
    assert shared_buffers(64 * MEGABYTE) == 32 * MEGABYTE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
