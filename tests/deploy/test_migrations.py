"""Migrations make exactly the tables that the table modules declare, on every PostgreSQL."""

from importlib.resources import files
from os import urandom
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

import dtsen.audit.tables
import dtsen.disclosure.tables
import dtsen.releases.tables  # noqa: F401 - imported for the tables they declare
from dtsen.database import connect, grant, login, migrate, newest_revision, revision
from dtsen.migration import engine

OWN = frozenset(SQLModel.metadata.tables)


@pytest.fixture
def migrated(postgres):
    migrate(postgres)
    return postgres


def declared(item, name, kind, *_):
    if kind == "table":
        return f"{item.schema}.{name}" in OWN
    # Partial indexes and those of one table are the migrations' own; columns and keys are compared.
    return kind != "index"


def test_the_tables_are_those_that_are_declared(migrated):
    with engine(migrated.owner) as made, made.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_schemas": True, "include_object": declared, "compare_type": True},
        )
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_usual_record_stays_whole_in_its_row_in_partitions_new_and_old(migrated):
    with connect(migrated.owner) as connection, connection.transaction(force_rollback=True):
        later = "2031-03-05T00:00:00Z"
        for instant in (later, "now"):
            connection.execute("SELECT audit.ensure_partitions(%s)", (instant,))
        before = connection.execute(_BESIDE).fetchall()  # others may have had longer records
        for instant in (later, "now"):
            connection.execute(_RECORD, {"at": instant, "leaf": urandom(1_035)})
        assert len(before) > 2
        assert connection.execute(_BESIDE).fetchall() == before


_RECORD = """
INSERT INTO audit.record (recorded_at, id, key_epoch, typ, op, outcome, status, people, subjects,
    families, leaf, disclosures, agency, client, purpose, agreement, release)
VALUES (%(at)s, gen_random_uuid(), '2026-11', 'read', 'individuals.lookup', 'found', 200, 1, 's',
    'f', %(leaf)s, %(leaf)s, 'agency', 'client', 'purpose', 'agreement', '2026-Q3')
"""
_BESIDE = """
SELECT c.relname, pg_relation_size(c.reltoastrelid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit.record'::regclass
"""


def test_there_is_one_linear_history():
    script = ScriptDirectory(str(files("deploy") / "migrations"))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert all(not one.is_merge_point for one in script.walk_revisions())
    assert newest_revision() == script.get_current_head()


def test_a_database_tells_its_revision(migrated):
    with connect(migrated.owner) as connection:
        assert revision(connection) == newest_revision()
        with connection.transaction(force_rollback=True):
            connection.execute("DROP TABLE public.migration")
            assert revision(connection) is None


def test_migrating_and_granting_again_change_nothing(migrated):
    before = rights(migrated)
    migrate(migrated)
    grant(migrated)
    assert rights(migrated) == before
    assert len(before) > 20


def rights(urls) -> list[tuple[str, ...]]:
    logins = [login(urls.api), login(urls.sequencer), login(urls.auditor)]
    with connect(urls.owner) as connection:
        return connection.execute(
            "SELECT grantee, table_schema, table_name, privilege_type"
            " FROM information_schema.role_table_grants WHERE grantee = ANY (%s)"
            " ORDER BY 1, 2, 3, 4",
            (logins,),
        ).fetchall()


def test_nobody_but_the_granted_may_run_a_function(migrated):
    with connect(migrated.auditor) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT disclosure.draw_lease('x', 'people', 'day', 10, 1)")
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT disclosure.set_authority('client', 'x', true, 'y')")


def test_sql_files_travel_with_the_package():
    folder = Path(str(files("deploy")))
    assert (folder / "grants.sql").is_file()
    assert (folder / "roles.sql").is_file()
    assert list((folder / "migrations" / "versions").glob("*.sql"))
