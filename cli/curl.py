"""`dtsen curl` and `dtsen lookup`: calls of a client, its token fetched and proven for it."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from rich.table import Table

from cli import session
from cli.context import fail, out, print_json
from cli.read_client import read_client
from cli.session import TokenRefused, connected, fetch_token

TIMEOUT_SECONDS = 30

ClientFile = Annotated[
    Path, typer.Argument(help="A client's JSON file.", exists=True, dir_okay=False)
]


def curl(
    client_file: ClientFile,
    method: Annotated[str, typer.Argument(help="GET, POST, ...")],
    path: Annotated[str, typer.Argument(help="Such as /v1/individuals/lookup.")],
    body: Annotated[str | None, typer.Argument(help="JSON; - reads standard input.")] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="Name: value")] = None,
) -> None:
    """Send one call as a client and print the answer as `curl -i` does."""
    headers = dict(_header(line) for line in header or ())
    content = sys.stdin.read() if body == "-" else body
    answer = call(client_file, method.upper(), path, content, headers)
    typer.echo(f"{answer.http_version} {answer.status_code} {answer.reason_phrase}")
    for name, value in answer.headers.multi_items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"\n{answer.text}")


def lookup(
    client_file: ClientFile,
    nik: Annotated[str, typer.Argument(help="A NIK; - reads it from standard input.")],
    field: Annotated[list[str] | None, typer.Option("--field", help="Only this variable.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Code of the purpose.")] = None,
    *,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look one person up and print what the client's agreement opens."""
    asked: dict[str, Any] = {"nik": sys.stdin.readline().strip() if nik == "-" else nik}
    if field:
        asked["fields"] = field
    headers = {"DTSEN-Purpose": purpose} if purpose else {}
    answer = call(client_file, "POST", "/v1/individuals/lookup", json.dumps(asked), headers)
    told = answer.json()
    if json_:
        print_json(told)
    elif answer.is_success:
        out.print(_table(told))
    else:
        out.print(f"{told['title']}: {told['detail']}", markup=False)
        for step in told.get("next_steps", ()):
            out.print(f"- {step['text']}", markup=False)
    if not answer.is_success:
        raise typer.Exit(1)


def call(
    client_file: Path, method: str, path: str, content: str | None, headers: dict[str, str]
) -> httpx2.Response:
    """Send one call as a client, with a token fetched for it."""
    client = read_client(client_file)
    try:
        with connected(client, timeout=TIMEOUT_SECONDS) as http:
            token = fetch_token(client, http=http)
            if content is not None:
                headers = {"Content-Type": "application/json", **headers}
            return session.call(
                client, token, method, path, http=http, headers=headers, content=content
            )
    except TokenRefused as error:
        fail(f"The authorization server refused: {error}")
    except httpx2.HTTPError as error:
        fail(f"{client['issuer']} cannot be reached: {error}")


def _header(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    if not separator:
        raise typer.BadParameter("a header is written as Name: value")
    return name.strip(), value.strip()


def _table(told: dict[str, Any]) -> Table:
    person = told["individual"]
    table = Table("variable", "value", title=f"release {told['release']}")
    rows = {name: value for name, value in person.items() if name not in {"keluarga", "status"}}
    family = person["keluarga"] or {}
    rows |= {f"keluarga.{name}": value for name, value in family.items()}
    table.add_row("status", person["status"]["record"])
    for name, value in rows.items():
        table.add_row(name, "" if value is None else str(value))
    for withheld in told["withheld"]:
        table.add_row(withheld["field"], f"({withheld['reason']})")
    return table
