"""`dtsen openapi`: the OpenAPI document, as it is committed in `openapi.yaml`."""

from pathlib import Path
from typing import Annotated

import typer

from api.app import create_app
from api.openapi import as_yaml, document
from cli.context import print_json, settings

PUBLISHED_ISSUER = "http://localhost:8000"


def openapi(
    out: Annotated[Path | None, typer.Option(help="Write the YAML to this file.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print the OpenAPI 3.1 document of this version."""
    made = document(create_app(settings()), PUBLISHED_ISSUER)
    if out is not None:
        out.write_text(as_yaml(made))
    elif json:
        print_json(made)
    else:
        typer.echo(as_yaml(made), nl=False)
