"""`dtsen legacy`: the rule of who is listed, corrections of the crosswalk, the way out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.context import fail, keyring, out, owner, print_json
from cli.signing import SignerFile, told, waits
from dtsen.acts import read_signer
from dtsen.audit.two_person import propose
from dtsen.legacy import correction, population
from dtsen.legacy.correction import CorrectionInvalid
from dtsen.legacy.population import RuleInvalid

app = typer.Typer(help="DTKS: translation, and the way out of it.", no_args_is_help=True)

TermsFile = Annotated[Path, typer.Argument(help="A YAML file.", exists=True, dir_okay=False)]


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
