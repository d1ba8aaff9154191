"""`dtsen agreement diff`: what a change opens, exactly and in people."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.agreement_file import read_file
from cli.context import fail, out, owner, print_json
from dtsen.disclosure import agreements
from dtsen.disclosure.counting import Concerned, concerned
from schemas.agreement import Agreement
from schemas.agreement_diff import Change, Difference, difference

WIDENS = 3
"""Exit code where the later version opens anything; 0 where it does not."""
_SIGNS = {"opens": "+", "closes": "-", "other": "~"}

Version = Annotated[
    str,
    typer.Argument(help="A file, or the number of an agreement in force, or NUMBER@VERSION."),
]


def diff(
    before: Version,
    after: Version,
    *,
    people: Annotated[
        bool, typer.Option(help="Count people in the release in force; reads all of it.")
    ] = True,
    json: bool = False,
) -> None:
    """Say what the second version opens that the first does not; exit code 3 if anything."""
    one, other = _version(before), _version(after)
    found = difference(one, other)
    counted = None
    if people:
        with owner() as connection:
            counted = concerned(connection, one, other)
    if json:
        print_json(told(one, other, found, counted))
    else:
        for line in lines(found, counted):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(WIDENS if found.widens else 0)


def told(
    before: Agreement | None, after: Agreement, found: Difference, counted: Concerned | None
) -> dict[str, Any]:
    """The difference, ready for JSON."""
    return {
        "before": _named(before) if before else None,
        "after": _named(after),
        "widens": found.widens,
        "release": counted.release if counted else None,
        "changes": [
            {
                "kind": change.kind,
                "effect": change.effect,
                "purpose": change.purpose,
                "variables": list(change.variables),
                "people": people_of(change, counted),
                **change.text._asdict(),
            }
            for change in found.changes
        ],
    }


def lines(found: Difference, counted: Concerned | None) -> list[str]:
    """The difference for people: `+` opens, `-` closes, `~` does neither; Indonesian, English."""
    said = []
    for change in found.changes:
        number = people_of(change, counted)
        id_, en = change.text
        if number is not None and counted is not None:
            some = f"+{len(change.variables)} " if change.variables else ""
            id_ += f" ({some}{'variabel tentang ' if some else ''}{number:,} orang)"
            en += f" ({some}{'variables about ' if some else ''}{number:,} people)"
        said += [f"{_SIGNS[change.effect]} {id_}", f"  {en}"]
    if not said:
        said.append("= tidak ada perubahan / no change")
    return said


def people_of(change: Change, counted: Concerned | None) -> int | None:
    """How many people a change concerns, where that can be counted."""
    if counted is None or change.people is None:
        return None
    if change.people == "gained_people":
        return counted.gained if change.effect == "opens" else counted.lost
    return counted.after if change.effect == "opens" else counted.before


def _version(written: str) -> Agreement:
    if Path(written).is_file():
        return read_file(Path(written))
    number, _, version = written.partition("@")
    try:
        with owner() as connection:
            return agreements.terms(connection, number, int(version) if version else None)
    except (agreements.AgreementRefused, ValueError):
        fail(f"{written}: neither a file nor an agreement of the register")


def _named(agreement: Agreement) -> dict[str, object]:
    return {"agreement": agreement.agreement, "version": agreement.version}
