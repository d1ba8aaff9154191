"""Reading an agreement's file for a command, which ends where the file is refused."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.context import fail
from schemas.agreement import Agreement, AgreementInvalid, read_agreement

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An agreement (YAML).")]


def text_of(file: Path) -> str:
    """The text of a file; what is not UTF-8 in it is left for the reader to refuse."""
    return file.read_text("utf-8", errors="surrogateescape")


def read_file(file: Path, *, today: date | None = None) -> Agreement:
    """The agreement of a file; what is wrong with one ends the command, by line."""
    try:
        return read_agreement(text_of(file), today=today)
    except AgreementInvalid as error:
        fail("\n".join(f"{file}:{fault}" for fault in error.faults))
