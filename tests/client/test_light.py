"""An agency installs the client into its own system: nothing of the server comes with it."""

import subprocess
import sys

import dtsen.client

SERVER = ("fastapi", "starlette", "psycopg", "asyncpg", "sqlalchemy", "opentelemetry", "pydantic")
LOADED = "import sys, {0}; print(*{{name.partition('.')[0] for name in sys.modules}})"


def loaded(module):
    line = [sys.executable, "-c", LOADED.format(module)]
    return set(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split())


def test_nothing_of_the_server_is_loaded():
    assert not loaded("dtsen.client") & {
        *SERVER,
        "api",
        "auth",
        "cli",
        "authlib",
        "pyarrow",
        "typer",
    }


def test_that_would_be_seen():
    assert loaded("dtsen.database") & set(SERVER)


def test_what_it_says_it_has_is_there():
    for name in dtsen.client.__all__:
        assert getattr(dtsen.client, name).__doc__, name
