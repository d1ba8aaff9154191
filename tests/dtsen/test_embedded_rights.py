"""What both servers, embedded 18 and packaged 15, let each login do, and what their logs tell."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from dtsen.embedded import cluster
from tests.embedded_cluster import place_of, settings_of, superuser_url
from tests.postgres import embedded_18, packaged_15

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
        elsewhere = getattr(postgres, login).removesuffix("/dtsen") + "/postgres"
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            psycopg.connect(elsewhere)


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
