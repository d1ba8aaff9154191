"""Calls of a client, for commands: what goes wrong ends the command, and is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.context import fail
from dtsen.client import (
    Agency,
    CallFailed,
    ClientFileInvalid,
    Patience,
    Problem,
    TokenRefused,
    opened,
)
from dtsen.client.receipts import Keep, nowhere

ClientFile = Annotated[
    Path, typer.Argument(help="A client's JSON file.", exists=True, dir_okay=False)
]


@contextmanager
def agency_of(
    file: Path, *, receipts: Path | Keep = nowhere, patience: Patience | None = None
) -> Iterator[Agency]:
    """A client's system until the block ends; a file that is none ends the command."""
    try:
        agency = opened(file, receipts=receipts, patience=patience)
    except ClientFileInvalid as error:
        fail(str(error))
    except OSError as error:
        fail(f"the authority that {file} names cannot be read: {error.strerror}")
    with agency:
        yield agency


@contextmanager
def calling(file: Path, *, patience: Patience | None = None) -> Iterator[Agency]:
    """The same; a call that fails ends the command, too."""
    with agency_of(file, patience=patience) as agency:
        try:
            yield agency
        except Problem as problem:
            fail(f"{problem.title}: {problem.detail}" if problem.detail else str(problem))
        except TokenRefused as error:
            fail(f"The authorization server refused: {error}")
        except CallFailed as error:
            fail(f"{agency.issuer} cannot be reached: {error}")
