"""What every command shares: settings, the database's URLs, keys, and how failures are told."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NoReturn

import psycopg
import typer
from rich.console import Console

from dtsen.database import DatabaseUrls, connect
from dtsen.embedded import EmbeddedError, cluster
from dtsen.keys import KeyRefused, Keyring, open_keyring
from dtsen.settings import Settings, SettingsError, read_settings

out = Console()
err = Console(stderr=True)


@cache
def settings() -> Settings:
    """The settings of this command, read once."""
    try:
        return read_settings()
    except SettingsError as error:
        fail(str(error))


@contextmanager
def database() -> Iterator[DatabaseUrls]:
    """The URLs of the server that is configured or running, or of one started for this command."""
    try:
        with cluster(settings(), attach=True) as urls:
            yield urls
    except EmbeddedError as error:
        fail(str(error))


@contextmanager
def owner() -> Iterator[psycopg.Connection]:
    """A connection of the owner's login, in autocommit: functions open their own transactions."""
    with database() as urls, connect(urls.owner, autocommit=True) as connection:
        yield connection


def keyring() -> Keyring:
    """The keys of this installation."""
    try:
        return open_keyring(settings().key_directory, settings().module_uri)
    except KeyRefused as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """End the command with a message and exit code 1."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def print_json(value: object) -> None:
    """Print one JSON document, for `--json`."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
