"""What a superuser can do to any row of any table, made from the catalog alone."""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg

TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1
"""
COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text, EXISTS (SELECT FROM pg_index i
    WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))
FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
CHECKS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE connamespace = 'audit'::regnamespace AND contype IN ('c', 'u') AND coninhcount = 0
"""
ANOTHER = {
    "text": "coalesce({0}, '') || 'x'",
    "uuid": "gen_random_uuid()",
    "bytea": (
        "CASE WHEN length({0}) > 0 THEN set_byte({0}, 5, get_byte({0}, 5) # 1) ELSE '\\x01' END"
    ),
    "bytea[]": "array_append({0}, ''::bytea)",
    "integer": "coalesce({0}, 0) + 1",
    "bigint": "coalesce({0}, 0) + 100000",
    "smallint": "coalesce({0}, 0)::integer + 1",
    "boolean": "NOT {0}",
    "timestamp with time zone": "coalesce({0}, now()) - interval '2 hours'",
}
"""By type: another value than the one there is."""


class Act(NamedTuple):
    """Something done to a table."""

    name: str
    statements: tuple[str, ...]


def open_to_all(connection: psycopg.Connection) -> None:
    """Switch off all that protects the tables, as nobody but a superuser can."""
    connection.execute("SELECT audit.ensure_log(year + 1, 0) FROM audit.tree")
    for (table,) in connection.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'p')"
    ).fetchall():
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    connection.execute("DROP INDEX audit.uq_tree_open")
    for table, name in connection.execute(CHECKS).fetchall():
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def acts(connection: psycopg.Connection) -> Iterator[Act]:
    """Everything that is done to every table there is, by an SQL statement each."""
    for (table,) in connection.execute(TABLES).fetchall():
        columns = connection.execute(COLUMNS, (table,)).fetchall()
        keys = [name for name, _, key in columns if key]
        others = [name for name, _, key in columns if not key]
        of = {name: ANOTHER[kind].format(f'"{name}"') for name, kind, _ in columns}
        order = ", ".join(f'"{key}"' for key in keys)
        row = f"(SELECT {order} FROM {table} ORDER BY {order} OFFSET %s LIMIT 1)"  # noqa: S608 - names from the catalog
        here = f"WHERE ({order}) = {row}"
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names from the catalog
        assert count, f"{table} is empty: nothing is shown of it"
        for name, *_ in columns:
            at = here % (count // 2)
            yield Act(f"{table} edit {name}", (f'UPDATE {table} SET "{name}" = {of[name]} {at}',))  # noqa: S608 - the same
        for offset in sorted({0, count // 2, count - 1}):
            yield Act(f"{table} delete {offset}", (f"DELETE FROM {table} {here % offset}",))  # noqa: S608 - the same
        changed = ", ".join(of[name] if name == keys[-1] else f'"{name}"' for name, *_ in columns)
        copy = f"INSERT INTO {table} SELECT {changed} FROM {table} {here % (count // 2)}"  # noqa: S608 - the same
        yield Act(f"{table} insert", (copy,))
        yield Act(f"{table} truncate", (f"TRUNCATE {table}",))
        if others and count > 1:
            names = ", ".join(f'"{one}"' for one in others)
            taken = ", ".join(f's."{one}"' for one in others)
            exchange = f"""
            WITH two AS (
                SELECT *, row_number() OVER (ORDER BY {order}) AS n FROM {table}
                WHERE ({order}) = {row % 0} OR ({order}) = {row % 1}
            )
            UPDATE {table} t SET ({names}) = (SELECT {taken} FROM two s WHERE s.n = 3 - f.n)
            FROM two f WHERE ({", ".join(f't."{key}"' for key in keys)})
                = ({", ".join(f'f."{key}"' for key in keys)})
            """  # noqa: S608 - the same
            yield Act(f"{table} reorder", (exchange,))
