"""`dtsen audit verify`: holding the access log against its promises, trusting nobody."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import httpx2
import psycopg
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.context import database as servers, err, fail, keyring, out, print_json, settings
from cli.following import Ages, follow_logs
from cli.logs import bundles_of, logs_of
from cli.mine import mine
from cli.verifying import (
    FIRST_MET,
    NO_AUTHORITY,
    Keys,
    PolicyFile,
    State,
    authority_in,
    memory_in,
    stamped_in,
    tell_sealed,
    told_faults,
    trust_in,
)
from dtsen.audit.administration import Deed, record
from dtsen.audit.record import RecordKeys
from dtsen.audit.rows import year_of
from dtsen.audit.stored import Stored
from dtsen.database import connect
from dtsen.keys import KeyMissing, Keyring
from dtsen.tlog.merkle import ProofInvalid
from dtsen.tlog.tiles import Edge
from dtsen.verifier.case import judge
from dtsen.verifier.checking import Entries
from dtsen.verifier.memory import Memory
from dtsen.verifier.mirror import TIMEOUT_SECONDS
from dtsen.verifier.source import Source
from dtsen.verifier.timestamps import Stamped
from dtsen.verifier.verification import Trust, Verified, verify as verify_log


def verify(  # noqa: PLR0913 - each option is a wish of its own
    source: Annotated[
        str | None,
        typer.Argument(help="A folder, s3://..., or https://.../log; default: DTSEN_LOG_URI."),
    ] = None,
    key: Keys = None,
    policy: PolicyFile = None,
    client: Annotated[Path | None, typer.Option(help="Read entries as this client.")] = None,
    state: State = None,
    *,
    tsa_ca: Annotated[
        Path | None,
        typer.Option(help="Check timestamps against these certificates; default: DTSEN_TSA_CA."),
    ] = None,
    mine_: Annotated[
        Path | None, typer.Option("--mine", help="Hold our receipts against it (with --client).")
    ] = None,
    database: Annotated[
        bool, typer.Option("--database", help="Hold the database's rows against the log.")
    ] = False,
    new: Annotated[bool, typer.Option("--new", help="Only what came since the last time.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on; end with an alarm.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 5,
    stall: Annotated[float, typer.Option(help="Alarm after so many seconds of quiet.")] = 3600,
    stamp_age: Annotated[
        float, typer.Option(help="Alarm if growth is not stamped for so many seconds (--tsa-ca).")
    ] = 14400,
    witness_age: Annotated[
        float | None,
        typer.Option(help="Alarm if the policy's witnesses signed longer ago; default --stall."),
    ] = None,
    case: Annotated[
        bool, typer.Option("--case", help="Judge one proof on standard input.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Verify the log: signatures, every tile, entries where they are open, and that it only grew.

    Ends with 0 if all holds, 1 if something is wrong, 2 if it cannot be read, 3 for a fork, 4 for a
    log that shrank, 5 for one that stalled.
    """
    if case:
        _judge()
        return
    if mine_ is not None:
        if client is None:
            fail("Whose receipts? Give --client")
        with told_faults(json_=json_):
            mine(mine_, client, key, state)
        return
    memory, trust = memory_in(state), trust_in(key, policy)
    authority = authority_in(tsa_ca or settings().tsa_ca)
    place = source or settings().log_place
    with (
        told_faults(json_=json_),
        httpx2.Client(timeout=TIMEOUT_SECONDS) as http,
        logs_of(place, http, client) as logs,
    ):
        if follow:
            ages = Ages(stall, stamp_age, witness_age)
            follow_logs(logs, memory, trust, authority, client=client, every=every, ages=ages)
            return
        with _stored() if database else nullcontext() as stored:
            found = logs()
            for log in found:
                entries = stored.entries(log) if stored else bundles_of(log, client)
                verified = _run(log, memory, trust, entries, only_new=new)
                if stored is not None:
                    stored.check(log, verified)
                stamped = stamped_in(log, verified, memory, authority)
                _tell(verified, log, stamped, entries=entries is not None, json_=json_)
            if stored is not None:
                # A place that was named may hold some of the logs only.
                years = [year_of(log) for log in found] if source is None else []
                with err.status("the index") as status:
                    stored.check_beside(
                        (min(years), max(years)) if years else None,
                        lambda month: status.update(f"the index of {month:%Y-%m}"),
                    )
                tell_sealed(stored.sealed, json_=json_)


def _judge() -> None:
    try:
        judge(sys.stdin.read())
    except ProofInvalid as error:
        fail(f"refused: {error}")
    out.print("accepted")


@contextmanager
def _stored() -> Iterator[Stored]:
    """The database behind the log. What is sealed is opened only if it is recorded that it is."""
    keys = keyring()

    def held(epoch: str) -> RecordKeys:
        if not recorded:
            raise KeyMissing(epoch)
        return RecordKeys(keys, epoch)

    with servers() as urls, connect(urls.auditor, autocommit=True) as connection:
        recorded = _recorded(urls.owner, keys)
        yield Stored(connection, held)


def _recorded(owner: str, keys: Keyring) -> bool:
    """Record that the keys of the log are used to verify it; whether that could be."""
    try:
        with connect(owner) as connection:
            record(connection, keys, Deed("audit.verify"))
    except (KeyMissing, psycopg.OperationalError):
        return False
    return True


@contextmanager
def _bar() -> Iterator[Callable[[Edge, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda edge, size: bar.update(task, completed=edge.size, total=size)


def _run(
    log: Source, memory: Memory, trust: Trust, entries: Entries | None, *, only_new: bool
) -> Verified:
    with _bar() as progress:
        return verify_log(log, memory, trust, entries=entries, only_new=only_new, progress=progress)


def _tell(verified: Verified, log: Source, stamped: Stamped, *, entries: bool, json_: bool) -> None:
    checkpoint = verified.checkpoint
    told = {
        "log": str(log),
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "from": verified.started,
        "entries": entries,
        "witnesses": list(verified.witnesses),
        "key_first_met": verified.first_met,
        "timestamps": stamped.count,
        "timestamps_checked": stamped.checked,
        "stamped_at": stamped.newest.isoformat() if stamped.newest else None,
    }
    if json_:
        print_json(told)
        return
    what = "entries and hashes" if entries else "hashes"
    signed = ", ".join(verified.witnesses) or "no witness"
    out.print(
        f"{checkpoint.origin}: {checkpoint.size} entries hold ({what} from {verified.started} on;"
        f" signed by {signed})",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if stamped.newest:
        out.print(
            f"{stamped.count} timestamps hold, the newest of {stamped.newest:%Y-%m-%d %H:%M}Z"
        )
    elif stamped.count:
        err.print(f"{stamped.count} timestamps were not checked: {NO_AUTHORITY}", style="yellow")
    if verified.first_met:
        err.print(FIRST_MET, style="yellow")
