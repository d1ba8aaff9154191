"""`dtsen token`: an access token for a client file."""

import json
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from rich.console import Console

from cli.session import TokenRefused, fetch_token

TIMEOUT_SECONDS = 10

errors = Console(stderr=True)


def token(
    client_file: Annotated[
        Path, typer.Argument(help="A client's JSON file.", exists=True, dir_okay=False)
    ],
) -> None:
    """Get an access token and print it alone on the last line."""
    try:
        with httpx2.Client(timeout=TIMEOUT_SECONDS) as http:
            found = fetch_token(json.loads(client_file.read_text()), http=http)
    except TokenRefused as error:
        errors.print(f"The authorization server refused: {error}", markup=False)
        raise typer.Exit(1) from None
    except httpx2.HTTPError as error:
        errors.print(f"The authorization server cannot be reached: {error}", markup=False)
        raise typer.Exit(1) from None
    typer.echo(found)
