"""Where the embedded PostgreSQL lives and as whom it runs: what is refused, and what is mended."""

import os
import pwd
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from dtsen.embedded import EmbeddedError, cluster, running
from dtsen.embedded.binaries import install
from dtsen.embedded.configuration import MEGABYTE, shared_buffers
from dtsen.embedded.place import account
from dtsen.embedded.server import LAUNCHER, free_port
from dtsen.settings import Settings
from tests.embedded_cluster import PARENT, SECONDS, mark, place_of, postmaster, rows, settings_of
from tests.ordinary_user import Elsewhere
from tests.postgres import open_folder

AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT RUN: only root can start a server as another account"
)


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
                # Root may attach to it; it starts and changes nothing there.
                with cluster(Settings(home=mine / "home"), attach=True) as attached:
                    assert attached.owner == url
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


def test_the_server_takes_a_quarter_of_the_memory_within_bounds():
    assert shared_buffers(2048 * MEGABYTE) == 512 * MEGABYTE
    assert shared_buffers(64 * 1024 * MEGABYTE) == 1024 * MEGABYTE
    assert shared_buffers(64 * MEGABYTE) == 32 * MEGABYTE
