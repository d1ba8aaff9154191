"""Bringing the schema to the newest revision, with a record of it in the same transaction."""

from datetime import UTC, datetime

import psycopg

from cli.context import keyring
from dtsen.audit.administration import Deed, record
from dtsen.database import DatabaseUrls, connect, migrate
from dtsen.disclosure import agreements
from dtsen.disclosure.keeping import keep_plans


def migrate_recorded(urls: DatabaseUrls) -> None:
    """Migrate, grant, and keep every plan in force; which revisions is in the access log."""
    keys = keyring()
    keys.ensure(datetime.now(UTC))

    def done(connection: psycopg.Connection, before: str | None, after: str) -> None:
        clear: dict[str, object] = {"revision_before": before, "revision": after}
        record(connection, keys, Deed("schema.migrate", clear=clear))

    migrate(urls, done)
    with connect(urls.owner, autocommit=True) as connection:
        keep_plans(connection, agreements.in_force(connection))
