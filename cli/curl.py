"""`dtsen curl` and `dtsen lookup`: calls of a client, its token fetched and proven for it."""

import sys
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.calling import ClientFile, calling
from cli.context import out, print_json
from dtsen.client import Agency, Masked, NotFound, Person, Problem, Restricted, Variables

LOOKUP = "/v1/individuals/lookup"


def curl(
    client_file: ClientFile,
    method: Annotated[str, typer.Argument(help="GET, POST, ...")],
    path: Annotated[str, typer.Argument(help="Such as /v1/individuals/lookup.")],
    body: Annotated[str | None, typer.Argument(help="JSON; - reads standard input.")] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="Name: value")] = None,
) -> None:
    """Send one call as a client and print the answer as `curl -i` does."""
    if not path.startswith("/") or path.startswith("//"):
        raise typer.BadParameter("a path begins with one slash: the client's file says where it is")
    headers = dict(_header(line) for line in header or ())
    content = sys.stdin.read() if body == "-" else body
    if content is not None:
        headers = {"Content-Type": "application/json", **headers}
    with calling(client_file) as agency:
        sent = None if content is None else content.encode()
        answer = agency.send_once(method.upper(), path, sent, headers)
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
    asked = sys.stdin.readline().strip() if nik == "-" else nik
    with calling(client_file) as agency:
        asking = agency.saying(purpose=purpose)
        if json_:
            _as_json(asking, {"nik": asked, **({"fields": field} if field else {})})
            return
        found = asking.look_up(asked, fields=field or None)
    if isinstance(found, NotFound):
        out.print(found.text, markup=False)
        for step in found.next_steps:
            out.print(f"- {step.text}", markup=False)
        raise typer.Exit(1)
    out.print(_table(found))


def _as_json(asking: Agency, body: dict[str, Any]) -> None:
    """Print what is answered as it stands, a refusal too."""
    try:
        print_json(asking.ask("POST", LOOKUP, body))
    except Problem as problem:
        print_json(problem.told)
        raise typer.Exit(1) from None


def _header(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    if not separator:
        raise typer.BadParameter("a header is written as Name: value")
    return name.strip(), value.strip()


def _table(person: Person) -> Table:
    table = Table("variable", "value", title=f"release {person.release}")
    table.add_row("status", person.record)
    table.add_row("id", person.id)
    if person.under_correction:
        table.add_row("", "(a correction is in progress)")
    for name in person.variables:
        table.add_row(name, _shown(person.variables, name))
    family = person.keluarga
    if family is None:
        table.add_row("keluarga", "(none is known)")
        return table
    if family.id is not None:
        table.add_row("keluarga.id", family.id)
    for name in family.variables:
        table.add_row(f"keluarga.{name}", _shown(family.variables, name))
    return table


def _shown(variables: Variables, name: str) -> str:
    """A value, or why there is none: what is unknown is not what is withheld."""
    try:
        value = variables[name]
    except Masked:
        return f"{escape(str(variables.masked(name)))} (mask)"
    except Restricted:
        return "(restricted)"
    return "(unknown to the registry)" if value is None else escape(str(value))
