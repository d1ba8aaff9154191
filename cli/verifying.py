"""What commands that verify share: whom to believe, what is remembered, how faults are told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from cryptography.x509 import Certificate

from cli.context import err, fail, out, print_json, settings
from dtsen.audit.sealed import Sealed
from dtsen.client import Agency, CallFailed, ClientFileInvalid
from dtsen.tlog.merkle import ProofInvalid
from dtsen.tlog.notes import ED25519, NoteInvalid, Verifier
from dtsen.tlog.policy import EMPTY, PolicyInvalid, parse_policy
from dtsen.verifier.faults import Absent, LogFault, Refused, Unreachable
from dtsen.verifier.memory import Memory
from dtsen.verifier.source import Source
from dtsen.verifier.timestamps import NONE, Stamped, check_timestamps, read_authority
from dtsen.verifier.verification import Trust, Verified

FIRST_MET = (
    "Its key was taken from the log itself, for want of another. Compare it with one that you got"
    " elsewhere, and give that as --key."
)

NO_AUTHORITY = "no authority is known; give its certificate as --tsa-ca or DTSEN_TSA_CA."

Keys = Annotated[list[str] | None, typer.Option("--key", help="A key of the log to believe.")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="Logs and witnesses to believe (C2SP tlog-policy).")
]
State = Annotated[Path | None, typer.Option("--state", help="Where to remember what was verified.")]


def memory_in(state: Path | None) -> Memory:
    """What is remembered in a folder, by default below DTSEN_HOME."""
    return Memory(state or settings().home / "verified")


def trust_in(keys: Sequence[str] | None, policy: Path | None) -> Trust:
    """Whom to believe by the options of a command."""
    try:
        verifiers = [Verifier.parse(line.strip()) for line in keys or ()]
        chosen = parse_policy(policy.read_text()) if policy else EMPTY
    except (NoteInvalid, PolicyInvalid, OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error)) from None
    if any(one.kind != ED25519 for one in verifiers):
        raise typer.BadParameter("that is a witness's key; it belongs into a policy")
    return Trust(verifiers, chosen)


def authority_in(file: Path | None) -> Sequence[Certificate] | None:
    """Whom to believe on time, from a file of certificates."""
    try:
        return read_authority(file) if file else None
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"the timestamp authority's certificates: {error}") from None


def stamped_in(
    log: Source,
    verified: Verified,
    memory: Memory,
    authority: Sequence[Certificate] | None,
    judged: Stamped = NONE,
) -> Stamped:
    """A verified log's timestamps, held against it if an authority is known."""
    keys = memory.recall(verified.checkpoint.origin).keys
    logs = [Verifier.parse(line) for line in keys]
    return check_timestamps(log, verified.checkpoint, logs, authority, judged)


def tell_sealed(sealed: Sealed, *, json_: bool) -> None:
    """Say of how many records what is sealed was judged, and of which it was not."""
    closed = dict(sorted(sealed.closed.items()))
    if json_:
        print_json({"sealed_checked": sealed.opened, "sealed_unchecked": closed})
        return
    if sealed.opened:
        out.print(f"{sealed.opened} records' sealed disclosures and blind indexes hold")
    if closed:
        months = ", ".join(f"{count} of {month}" for month, count in closed.items())
        err.print(
            "NOT CHECKED: sealed disclosures and blind indexes, for want of the month's keys, of"
            f" {sealed.closed.total()} records ({months}). Whoever holds the keys can check them.",
            style="bold red",
            highlight=False,
            soft_wrap=True,
        )


@contextmanager
def told_faults(*, json_: bool = False) -> Iterator[None]:
    """End the command with what was found wrong, and its exit code."""
    try:
        yield
    except LogFault as fault:
        kind = type(fault).__name__
        if json_:
            print_json({"fault": kind, "said": str(fault), "entry": fault.index})
        err.print(f"{kind}: {fault}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(fault.exit_code) from None
    except ClientFileInvalid as error:
        fail(str(error))
    except (CallFailed, Unreachable, Refused, Absent, psycopg.OperationalError) as error:
        err.print(f"It cannot be read: {error}", style="red", markup=False)
        raise typer.Exit(Unreachable.exit_code) from None
    except (NoteInvalid, ProofInvalid, ValueError) as error:
        fail(str(error))


def believed(origin: str, memory: Memory, trust: Trust, asking: Agency) -> Sequence[Verifier]:
    """Keys of a log: those given, or remembered, or for a log never met those that it shows."""
    if trust.logs:
        return trust.logs
    remembered = memory.recall(origin)
    if not remembered.keys:
        year = origin.rpartition("/")[2]
        shown = asking.send("GET", f"/log/{year}/key").text.split("\n")[:-1]
        remembered = memory.keep_keys(remembered, shown)
        err.print(FIRST_MET, style="yellow")
    return [Verifier.parse(line) for line in remembered.keys]
