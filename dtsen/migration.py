"""Alembic over the owner's login; `dtsen.database.migrate` calls it where there is work to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import cast

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine

Done = Callable[[psycopg.Connection], None]


def upgrade(url: str, done: Done = lambda _: None) -> None:
    """Bring the schema to the newest revision; `done` is called in the same transaction."""
    with as_file(files("deploy") / "migrations") as folder, engine(url) as made:
        config = Config()
        config.set_main_option("script_location", str(folder))
        with made.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            done(cast("psycopg.Connection", connection.connection.driver_connection))
            connection.commit()


@contextmanager
def engine(url: str) -> Iterator[Engine]:
    """A SQLAlchemy engine on psycopg, disposed at the end."""
    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        yield made
    finally:
        made.dispose()
