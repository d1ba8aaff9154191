"""`dtsen approve`: the second person's signature, with which an act takes effect."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import psycopg
import typer
from rich.table import Table

from cli import approver
from cli.context import keyring, out, owner, print_json
from cli.signing import SignerFile, told
from dtsen import acts
from dtsen.acts import Act, read_signer
from dtsen.audit.administration import recorded
from dtsen.audit.two_person import Effect, approve as approve_act
from dtsen.disclosure import applying, rekeying, restrictions
from dtsen.legacy import correction, population

EFFECTS: Mapping[str, Effect] = {
    **approver.EFFECTS,
    **population.EFFECTS,
    **correction.EFFECTS,
    **applying.EFFECTS,
    **restrictions.EFFECTS,
    **rekeying.EFFECTS,
}
"""What each kind of act does once two people have signed it; a new kind is an entry here."""


def approve(
    act: Annotated[UUID | None, typer.Argument(help="Its id; none: list what waits.")] = None,
    signer: SignerFile = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    json: bool = False,
) -> None:
    """Approve an act as the second person; without an act, list those that wait."""
    if act is None:
        _list(json=json)
        return
    if signer is None:
        raise typer.BadParameter("--as is needed: the approver's file that signs")
    with told(), owner() as connection:
        person = read_signer(signer)
        with recorded(connection, keyring(), "act.show", act=str(act)) as deed:
            found = acts.find(connection, act)
            deed.personal["officer"] = person.name
            if _names_somebody(found):
                deed.personal["subject"] = [restrictions.whom(connection, found)]
        # Shown once it is recorded that it is.
        with connection.transaction():
            _show(connection, found)
        if not yes:
            typer.confirm("Approve it?", abort=True)
        said = approve_act(connection, keyring(), person, act, EFFECTS)
    out.print(said, markup=False, highlight=False)


def _show(connection: psycopg.Connection, act: Act) -> None:
    """What the second person is about to sign, whole: nobody signs what they have not seen."""
    out.print(f"{act.kind}, proposed by {act.proposed_by}", markup=False, highlight=False)
    if _names_somebody(act):
        # The statement names a person by a digest alone, so that it can be kept.
        out.print(f"NIK: {restrictions.whom(connection, act)}", markup=False, highlight=False)
    out.print_json(data=dict(act.body))
    out.print(f"SHA-256 of the statement: {act.digest.hex()}", markup=False, highlight=False)


def _names_somebody(act: Act) -> bool:
    return act.kind in restrictions.EFFECTS and act.approved_by is None


def _list(*, json: bool) -> None:
    with owner() as connection:
        waiting = acts.waiting_acts(connection)
    lines = [
        {
            "act": str(act.id),
            "kind": act.kind,
            "proposed_by": act.proposed_by,
            "expires_at": act.expires_at.isoformat(timespec="seconds"),
        }
        for act in waiting
    ]
    if json:
        print_json(lines)
        return
    table = Table("act", "kind", "proposed by", "expires")
    for line in lines:
        table.add_row(*line.values())
    out.print(table)
