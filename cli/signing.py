"""What every two-person command shares: who signs, how an act that waits is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.context import fail
from dtsen.acts import LIFETIME, Act, ActRefused

SignerFile = Annotated[
    Path | None,
    typer.Option("--as", exists=True, dir_okay=False, help="Your approver's file; it signs."),
]


@contextmanager
def told() -> Iterator[None]:
    """Say why an act is refused and end the command."""
    try:
        yield
    except ActRefused as error:
        fail(str(error))


def waits(act: Act) -> str:
    """What to do about an act that was proposed."""
    return (
        f"Proposed; it takes effect when a second person approves it within {LIFETIME.days} days:\n"
        f"  dtsen approve {act.id} --as FILE"
    )
