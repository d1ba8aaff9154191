"""`dtsen token`: an access token for a client file."""

from pathlib import Path
from typing import Annotated

import httpx2
import typer

from cli.context import fail
from cli.read_client import read_client
from cli.session import TokenRefused, connected, fetch_token

TIMEOUT_SECONDS = 10


def token(
    client_file: Annotated[
        Path, typer.Argument(help="A client's JSON file.", exists=True, dir_okay=False)
    ],
) -> None:
    """Get an access token and print it alone on the last line."""
    try:
        client = read_client(client_file)
        with connected(client, timeout=TIMEOUT_SECONDS) as http:
            found = fetch_token(client, http=http)
    except TokenRefused as error:
        fail(f"The authorization server refused: {error}")
    except httpx2.HTTPError as error:
        fail(f"The authorization server cannot be reached: {error}")
    typer.echo(found)
