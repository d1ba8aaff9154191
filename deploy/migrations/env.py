"""Alembic's entry: one linear history, run by the owner's login inside one transaction."""

from typing import Any

from alembic import context
from sqlmodel import SQLModel

import dtsen.audit.tables
import dtsen.disclosure.tables
import dtsen.releases.tables  # noqa: F401 - imported for the tables they declare

TABLES = SQLModel.metadata
# Partitions and release tables come and go with months and releases, not with revisions.
OWN = frozenset(TABLES.tables)


def is_declared(item: Any, name: str | None, kind: str, *_: object) -> bool:  # noqa: ANN401 - Alembic's
    """Compare only what a table module declares."""
    return kind != "table" or f"{item.schema}.{name}" in OWN


connection = context.config.attributes["connection"]
connection.exec_driver_sql("SET lock_timeout = '4s'")
context.configure(
    connection=connection,
    target_metadata=TABLES,
    include_schemas=True,
    include_object=is_declared,
    version_table="migration",
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
