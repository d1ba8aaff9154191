"""Checks of the database, through the owner's login."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg

from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, connect, login, newest_revision, revision
from dtsen.doctor.trouble import Trouble

OLDEST = 150000
FARTHEST = timedelta(seconds=1)
WARNING = timedelta(days=30)
"""How long before a client or its last key ends the doctor says so; `dtsen client list` does."""
LONGEST_LAG = timedelta(seconds=30)
SET_IT = "set it in postgresql.conf and restart the server"

_DURABLE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "remote_apply"},
    "data_checksums": {"on"},
}
_SILENT = {
    "log_error_verbosity": {"terse"},
    "log_min_error_statement": {"panic"},
    "log_parameter_max_length_on_error": {"0"},
    "log_statement": {"none"},
    "log_min_duration_statement": {"-1"},
}

_SETTING = "SELECT current_setting(%s, true)"
_RIGHTS = """
SELECT t.name, p.privilege
FROM unnest(ARRAY['audit.record', 'audit.mention', 'audit.progress', 'audit.pending', 'audit.tree',
        'audit.leaf', 'audit.tile', 'audit.checkpoint']) AS t (name),
    unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS p (privilege)
WHERE has_table_privilege(%s, t.name, p.privilege)
"""
_CHANGEABLE = """
SELECT c.oid::regclass::text
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND coalesce(i.inhparent, c.oid) IN (
        'audit.record'::regclass, 'audit.leaf'::regclass, 'audit.tile'::regclass,
        'audit.checkpoint'::regclass, 'audit.tree'::regclass)
    AND NOT EXISTS (SELECT FROM pg_trigger t
        WHERE t.tgrelid = c.oid AND t.tgname = 'only_grows' AND t.tgenabled = 'A')
ORDER BY 1
"""
_MEMBERS = """
SELECT m.rolname, g.rolname
FROM pg_auth_members a
JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
WHERE m.rolname = ANY (%s)
"""
_PARTITION = """
SELECT count(*) FROM unnest(ARRAY['record_', 'mention_']) AS stem (name)
WHERE to_regclass('audit.' || stem.name || %s) IS NOT NULL
"""
_RELEASE = "SELECT ordinal FROM registry.pointer WHERE ordinal IS NOT NULL"
_NOW = "SELECT clock_timestamp()"
_PROGRESS = "SELECT clock_timestamp() - complete_until FROM audit.progress"
_UNBOUND = """
SELECT g.id, c.client_id
FROM disclosure.agreement g
JOIN auth.client c ON g.terms -> 'clients' ? c.client_id
WHERE g.state = 'in_force' AND g.terms -> 'tokens' ->> 'binding' = 'none'
    AND c.token_binding = 'none' AND c.revoked_at IS NULL
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(g.terms -> 'tokens' -> 'exceptions') e
        WHERE e ->> 'client' = c.client_id
            AND (e ->> 'until')::date >= (clock_timestamp() AT TIME ZONE 'Asia/Jakarta')::date)
ORDER BY 1, 2
"""
_ENDING = """
SELECT client_id, (least(c.expires_at, k.ends) AT TIME ZONE 'Asia/Jakarta')::date AS day
FROM auth.client c CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_and(key ? 'exp') THEN max(to_timestamp((key ->> 'exp')::bigint)) END
    FROM jsonb_array_elements(coalesce(c.jwks -> 'keys', '[]')) AS key
) AS k (ends)
WHERE c.revoked_at IS NULL AND least(c.expires_at, k.ends) < clock_timestamp() + %s
ORDER BY 2, 1
"""
_REPLICATION = """
SELECT (SELECT count(*) FROM pg_stat_replication) > 0
    AND current_setting('synchronous_standby_names') = ''
"""
_AGREEMENTS = "SELECT count(*) FROM disclosure.agreement WHERE state = 'in_force'"


def version(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """A version that is tested: 15 and later."""
    if connection.info.server_version < OLDEST:
        yield Trouble("PostgreSQL is older than 15", "upgrade the server")


def durability(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """What is acknowledged survives a crash."""
    yield from _settings(connection, _DURABLE)


def logging(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """The server's log holds no parameter and no statement of an error."""
    yield from _settings(connection, _SILENT)


def schema(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """The newest migration has run."""
    if revision(connection) != newest_revision():
        yield Trouble("a migration has not run", "run `dtsen migrate`")


def rights(connection: psycopg.Connection, urls: DatabaseUrls) -> Iterator[Trouble]:
    """The API's login can write the log and never change it."""
    for table, privilege in connection.execute(_RIGHTS, (login(urls.api),)).fetchall():
        yield Trouble(
            f"the API login may {privilege} {table}",
            f"revoke it, then run `dtsen migrate` to set the rights of deploy/grants.sql ({table})",
        )
    for name, url in (("API", urls.api), ("sequencer", urls.sequencer), ("auditor", urls.auditor)):
        try:
            connect(url).close()
        except psycopg.OperationalError:
            yield Trouble(f"the {name} login cannot connect", f"mend the URL of the {name} login")


def only_grows(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """What was written to the log refuses to be changed."""
    for (table,) in connection.execute(_CHANGEABLE).fetchall():
        yield Trouble(
            f"the trigger that keeps {table} from being changed is missing or off",
            f"find out who did that; then ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_grows",
        )


def members(connection: psycopg.Connection, urls: DatabaseUrls) -> Iterator[Trouble]:
    """No login has another's rights."""
    logins = [login(url) for url in (urls.owner, urls.api, urls.sequencer, urls.auditor)]
    for member, group in connection.execute(_MEMBERS, (logins,)).fetchall():
        yield Trouble(f"{member} is a member of {group}", f"REVOKE {group} FROM {member}")


def partitions(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """The log has room for this month, and a week ahead of the next."""
    now = Clock().now()
    for instant in {now, now + timedelta(days=7)}:
        row = connection.execute(_PARTITION, (instant.strftime("%Y_%m"),)).fetchone()
        if row is None or row[0] != 2:  # noqa: PLR2004 - record and mention
            yield Trouble(
                f"no partition for {instant:%Y-%m}", "start `dtsen sequencer`, which makes them"
            )


def release(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """There is something to answer from."""
    if connection.execute(_RELEASE).fetchone() is None:
        yield Trouble("no release is in force", "`dtsen release load`, `dtsen release activate`")


def clock(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """This machine's clock is near the database's."""
    row = connection.execute(_NOW).fetchone()
    if row is not None and abs(row[0] - Clock().now()) > FARTHEST:
        yield Trouble("this clock is more than 1 s off the database's", "set up NTP on both")


def sequencer(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """The sequencer keeps up."""
    row = connection.execute(_PROGRESS).fetchone()
    if row is None or row[0] > LONGEST_LAG:
        yield Trouble("the log's index is more than 30 s behind", "start `dtsen sequencer`")


def agreements(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """Somebody may ask."""
    row = connection.execute(_AGREEMENTS).fetchone()
    if row is None or row[0] == 0:
        yield Trouble("no agreement is in force", "`dtsen agreement apply FILE`")


def bindings(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """No client has tokens that are bound to nothing, but by a dated exception."""
    for agreement, client in connection.execute(_UNBOUND).fetchall():
        yield Trouble(
            f"{agreement} lets {client} have tokens bound to nothing",
            "bind them, or record a dated exception in the agreement (tokens.exceptions)",
        )


def clients(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """No client is about to end unnoticed."""
    for client, day in connection.execute(_ENDING, (WARNING,)).fetchall():
        yield Trouble(
            f"{client}, or its last key or certificate, ends on {day}",
            f"tell its agency; `dtsen client rotate {client}`, or `client revoke` if it has gone",
        )


def replication(connection: psycopg.Connection, _: DatabaseUrls) -> Iterator[Trouble]:
    """What is acknowledged survives a failover too."""
    row = connection.execute(_REPLICATION).fetchone()
    if row is None or row[0]:
        yield Trouble(
            "a standby follows, but no commit waits for it: a failover loses records",
            "set synchronous_standby_names (docs/operators/failover.md)",
        )


def _settings(connection: psycopg.Connection, wanted: dict[str, set[str]]) -> Iterator[Trouble]:
    for name, values in wanted.items():
        row = connection.execute(_SETTING, (name,)).fetchone()
        if row is None or row[0] not in values:
            yield Trouble(f"{name} is {row and row[0]}, not {' or '.join(sorted(values))}", SET_IT)
