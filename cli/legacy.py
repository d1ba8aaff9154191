"""`dtsen legacy`: the rule of who is listed, corrections of the crosswalk, the way out."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress as Bar
from rich.table import Table

from cli.calling import ClientFile, calling
from cli.context import err, fail, keyring, out, owner, print_json
from cli.migration import BATCH, HEADER, PATIENCE, Column, Journal, MigrationStopped, translate
from cli.sheets import SheetInvalid, read_column, write_rows
from cli.signing import SignerFile, told, waits
from dtsen.acts import read_signer
from dtsen.audit.two_person import propose
from dtsen.legacy import correction, population
from dtsen.legacy.correction import CorrectionInvalid
from dtsen.legacy.population import RuleInvalid

app = typer.Typer(help="DTKS: translation, and the way out of it.", no_args_is_help=True)

TermsFile = Annotated[Path, typer.Argument(help="A YAML file.", exists=True, dir_okay=False)]


class Scheme(StrEnum):
    """What a column of legacy ids holds."""

    id_dtks = "id_dtks"
    id_art_dtks = "id_art_dtks"
    idsemesta = "idsemesta"


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        with told():
            yield
    except (RuleInvalid, CorrectionInvalid) as error:
        fail(str(error))


@app.command("population")
def population_(file: TermsFile, signer: SignerFile = None) -> None:
    """Propose a rule of who counts as known to DTKS; a two-person act."""
    _propose(signer, population.KIND, lambda: population.terms(population.read_rule(_text(file))))


@app.command()
def correct(file: TermsFile, signer: SignerFile = None) -> None:
    """Propose a correction of the crosswalk, a link added or withdrawn; a two-person act."""
    _propose(
        signer, correction.KIND, lambda: correction.body(correction.read_correction(_text(file)))
    )


@app.command()
def rules(*, json: bool = False) -> None:
    """List every population rule ever applied, with the act that did."""
    with owner() as connection:
        applied = population.every_rule(connection)
    if json:
        print_json(
            [
                {**population.terms(one.rule), "act": one.act, "applied_at": one.applied_at}
                for one in applied
            ]
        )
        return
    table = Table("from", "version", "deciles up to", "records", "source", "act")
    for one in applied:
        rule = one.rule
        table.add_row(
            rule.valid_from.isoformat(),
            str(rule.version),
            str(rule.most_desil_nasional),
            ", ".join(rule.records),
            rule.source,
            one.act,
        )
    out.print(table)


@app.command()
def migrate(  # noqa: PLR0917 - one option for each thing that may be said
    client_file: ClientFile,
    file: Annotated[
        Path, typer.Argument(help="A .csv, .xlsx or .parquet file.", exists=True, dir_okay=False)
    ],
    scheme: Annotated[
        Scheme, typer.Option(help="What the column holds.", show_choices=True)
    ] = Scheme.id_dtks,
    column: Annotated[str | None, typer.Option(help="Its name; the only one if left out.")] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where to write; its suffix says the format.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="Code of the purpose.")] = None,
    batch: Annotated[int, typer.Option(help="Ids of one call.", min=1, max=BATCH)] = BATCH,
) -> None:
    """Translate a column of legacy ids into people and families, with outcome and evidence.

    Goes on where it stopped when it is run again; nothing is asked twice. Only `exact` and
    `merged` may be used without a person's decision: every candidate has a row of its own.
    """
    target = out_file or file.with_name(f"{file.stem}-dtsen{file.suffix}")
    with calling(client_file, patience=PATIENCE) as agency, _stopped():
        values = Column(scheme.value, read_column(file, column))
        journal = Journal(target.with_name(f"{target.name}.journal"), values)
        with Bar(console=err, transient=True) as bar:
            task = bar.add_task("translating", total=None)
            rows = translate(
                agency,
                values,
                journal,
                purpose=purpose,
                batch=batch,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        write_rows(target, HEADER, rows)
        journal.end()
    counts = Counter(one["outcome"] for one in journal.results)
    told = ", ".join(f"{outcome} {count:,}" for outcome, count in counts.most_common())
    out.print(f"{target}: {told or 'nothing to translate'}", markup=False, highlight=False)


@contextmanager
def _stopped() -> Iterator[None]:
    try:
        yield
    except (SheetInvalid, MigrationStopped) as error:
        fail(str(error))


@app.command()
def scoreboard(
    client_file: ClientFile,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far each client is on its way out of DTKS."""
    with calling(client_file) as agency:
        told = agency.ask("GET", "/v1/legacy/scoreboard")
    if json:
        print_json(told)
        return
    table = Table("agency", "client", "calls", "ids a week", "trend", "projected end", "sunset")
    for one in told["clients"]:
        table.add_row(
            one["agency"],
            one["client"],
            f"{one['calls']:,}",
            f"{one['identifiers']:,}",
            "" if one["trend"] is None else f"{one['trend']:+.1f}",
            one["projected_end"] or "",
            one["sunset"] or "",
        )
    out.print(table)


def _propose(signer: Path | None, kind: str, read: Callable[[], dict[str, Any]]) -> None:
    if signer is None:
        raise typer.BadParameter("--as is needed: the approver's file of who proposes it")
    with _refusals(), owner() as connection:
        act = propose(connection, keyring(), read_signer(signer), kind, read())
    out.print(waits(act), markup=False, highlight=False)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8")
