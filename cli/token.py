"""`dtsen token`: an access token for a client file."""

import typer

from cli.calling import ClientFile, calling


def token(client_file: ClientFile) -> None:
    """Get an access token and print it alone on the last line."""
    with calling(client_file) as agency:
        typer.echo(agency.token())
