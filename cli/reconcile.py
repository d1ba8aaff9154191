"""`dtsen audit reconcile`: a reverse proxy's counts held against the access log."""

from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from cli.context import database, err, out, print_json
from cli.mine import search
from cli.verifying import told_faults
from dtsen.audit.rows import COUNTED_REFUSALS, WITHOUT_ANSWER, records_between
from dtsen.client import opened
from dtsen.database import connect
from dtsen.verifier.counted import Compared, Counted, compare, read_counted, span
from dtsen.verifier.faults import Unreachable

UNRECORDED = 1
UNANSWERED = 3
MOST_SHOWN = 100


def reconcile(
    files: Annotated[
        list[Path], typer.Argument(help="Files that deploy/nginx/dtsen.conf's nginx counted in.")
    ],
    client: Annotated[
        Path | None,
        typer.Option(help="Search as this client, which sees all; default: the auditor's login."),
    ] = None,
    *,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold answers that a reverse proxy passed on against the access log, minute by minute.

    Ends with 0 if both agree, 1 if an answer has no record, 2 if either cannot be read, 3 if only
    records have no answer: connections that broke, or calls that went past the proxy.
    """
    with told_faults(json_=json_):
        counted = _counted(files)
        compared = compare(counted, _records(counted, client))
    if json_:
        print_json(_told(counted, compared))
    else:
        out.print(_table(compared))
    if compared.missing or compared.bare:
        err.print(
            f"{len(compared.missing) + compared.bare} answers left without a record", style="red"
        )
        raise typer.Exit(UNRECORDED)
    if compared.unanswered:
        err.print(f"{len(compared.unanswered)} records have no answer", style="yellow")
        raise typer.Exit(UNANSWERED)


def _counted(files: list[Path]) -> Counted:
    try:
        return read_counted(chain.from_iterable(one.open(encoding="ascii") for one in files))
    except (OSError, ValueError) as error:
        raise Unreachable(f"what the proxy counted: {error}") from None


def _records(counted: Counted, client: Path | None) -> dict[UUID, datetime]:
    since, until = span(counted)
    if client is None:
        with database() as urls, connect(urls.auditor, autocommit=True) as connection:
            return records_between(connection, since, until)
    with opened(client) as asking:
        return {
            record: datetime.fromisoformat(one["recorded_at"])
            for record, one in search(asking, since, until).items()
            if one.get("client") and one["op"] != COUNTED_REFUSALS
            if one["typ"] not in WITHOUT_ANSWER
        }


def _told(counted: Counted, compared: Compared) -> dict[str, object]:
    return {
        "from": counted.first.isoformat(),
        "to": counted.last.isoformat(),
        "minutes": [
            {
                "minute": minute.isoformat(),
                "answers": one.answers,
                "records": one.records,
                "answers_without_record": one.without_record,
                "records_without_answer": one.without_answer,
            }
            for minute, one in compared.minutes.items()
        ],
        "unnamed": compared.bare,
        "missing": [str(one) for one in compared.missing[:MOST_SHOWN]],
        "unanswered": [str(one) for one in compared.unanswered[:MOST_SHOWN]],
    }


def _table(compared: Compared) -> Table:
    table = Table("minute (UTC)", "answers", "records", "without record", "without answer")
    for minute, one in compared.minutes.items():
        figures = (one.answers, one.records, one.without_record, one.without_answer)
        table.add_row(f"{minute:%Y-%m-%d %H:%M}", *(f"{figure:,}" for figure in figures))
    return table
