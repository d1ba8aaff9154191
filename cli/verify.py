"""`dtsen audit verify`: holding the access log against its promises, trusting nobody."""

import json
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Annotated

import httpx2
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.context import err, fail, out, print_json, settings
from cli.session import TokenRefused, fetch_token
from dtsen.tlog.merkle import ProofInvalid
from dtsen.tlog.notes import COSIGNATURE, ED25519, NoteInvalid, Verifier
from dtsen.tlog.tiles import Edge
from dtsen.verifier.case import judge
from dtsen.verifier.checking import Bundles, Entries
from dtsen.verifier.faults import Absent, LogFault, Refused, Unreachable
from dtsen.verifier.memory import Memory
from dtsen.verifier.mirror import TIMEOUT_SECONDS, logs_at
from dtsen.verifier.monitor import follow as follow_log
from dtsen.verifier.source import Folder, Source, logs_below
from dtsen.verifier.verification import Trust, Verified, verify as verify_log

TOKEN_SECONDS = 200

Sources = Callable[[], Sequence[Source]]


def verify(  # noqa: PLR0913, PLR0917 - each option is a wish of its own
    source: Annotated[
        str | None, typer.Argument(help="A folder, or an address such as https://.../log.")
    ] = None,
    key: Annotated[list[str] | None, typer.Option(help="A key of the log to believe.")] = None,
    witness: Annotated[list[str] | None, typer.Option(help="A witness's key.")] = None,
    needed: Annotated[int, typer.Option(help="How many witnesses must have signed.", min=0)] = 0,
    client: Annotated[Path | None, typer.Option(help="Read entries as this client.")] = None,
    state: Annotated[Path | None, typer.Option(help="Where to remember what was verified.")] = None,
    *,
    new: Annotated[bool, typer.Option("--new", help="Only what came since the last time.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on; end with an alarm.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 5,
    stall: Annotated[float, typer.Option(help="Alarm after so many seconds of quiet.")] = 3600,
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
    if source is None:
        fail("Say which log: a folder, or an address such as https://.../log")
    memory = Memory(state or settings().home / "verified")
    trust = Trust(_keys(key, ED25519), _keys(witness, COSIGNATURE), needed)
    with httpx2.Client(timeout=TIMEOUT_SECONDS) as http:
        logs = _sources(source, http, client)
        try:
            if follow:
                _follow(logs, memory, trust, client, every=every, stall=stall)
            for log in () if follow else logs():
                read = _bundles(log, client)
                _tell(_run(log, memory, trust, read, only_new=new), log, entries=read, json_=json_)
        except LogFault as fault:
            _alarm(fault, json_=json_)
        except (Unreachable, Refused, Absent) as error:
            err.print(f"It cannot be read: {error}", style="red", markup=False)
            raise typer.Exit(Unreachable.exit_code) from None
        except (NoteInvalid, ValueError) as error:
            fail(str(error))


def _judge() -> None:
    try:
        judge(sys.stdin.read())
    except ProofInvalid as error:
        fail(f"refused: {error}")
    out.print("accepted")


def _keys(lines: Sequence[str] | None, kind: int) -> list[Verifier]:
    try:
        keys = [Verifier.parse(line.strip()) for line in lines or ()]
    except NoteInvalid as error:
        raise typer.BadParameter(str(error)) from None
    if any(one.kind != kind for one in keys):
        raise typer.BadParameter("a key of a log stands for a witness, or the other way round")
    return keys


def _sources(source: str, http: httpx2.Client, client: Path | None) -> Sources:
    """What lists the logs of a place, anew each time: a year begins while one is followed."""
    if source.startswith(("http://", "https://")):
        headers = Token(client, http).headers if client else dict
        return lambda: logs_at(source, http, headers)
    folder = Path(source)

    def below() -> Sequence[Source]:
        found = logs_below(folder)
        if not found:
            raise Unreachable(f"{folder} holds no log")
        return [Folder(one) for one in found]

    return below


class Token:
    """A client's token, fetched anew before it ends."""

    def __init__(self, client_file: Path, http: httpx2.Client) -> None:
        """Take the client's file."""
        self._client = json.loads(client_file.read_text())
        self._http = http
        self._headers: Mapping[str, str] = {}
        self._due = float("-inf")

    def headers(self) -> Mapping[str, str]:
        """Headers of a call with the token."""
        if time.monotonic() >= self._due:
            try:
                token = fetch_token(self._client, http=self._http)
            except TokenRefused as error:
                raise Refused(str(error)) from None
            except httpx2.HTTPError as error:
                raise Unreachable(type(error).__name__) from None
            self._headers = {"Authorization": f"Bearer {token}"}
            self._due = time.monotonic() + TOKEN_SECONDS
        return self._headers


def _run(
    log: Source, memory: Memory, trust: Trust, entries: Entries | None, *, only_new: bool
) -> Verified:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task("entries", total=None)

        def progress(edge: Edge, size: int) -> None:
            bar.update(task, completed=edge.size, total=size)

        return verify_log(log, memory, trust, entries=entries, only_new=only_new, progress=progress)


def _bundles(log: Source, client: Path | None) -> Bundles | None:
    """The log's own entries, where they are beside it or open to the client."""
    return Bundles(log) if client or (isinstance(log, Folder) and log.holds_entries()) else None


def _follow(
    logs: Sources,
    memory: Memory,
    trust: Trust,
    client: Path | None,
    *,
    every: float,
    stall: float,
) -> None:
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def step() -> Verified:
        return [
            verify_log(log, memory, trust, entries=_bundles(log, client), only_new=True)
            for log in logs()
        ][-1]

    def told(verified: Verified) -> None:
        out.print(f"{verified.checkpoint.origin}: {verified.checkpoint.size} entries, as promised")

    follow_log(step, seconds=every, stall=stall, monotonic=time.monotonic, stop=stop, told=told)


def _tell(verified: Verified, log: Source, *, entries: Entries | None, json_: bool) -> None:
    checkpoint = verified.checkpoint
    told = {
        "log": str(log),
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "from": verified.started,
        "entries": entries is not None,
        "witnesses": list(verified.witnesses),
        "key_first_met": verified.first_met,
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
    )
    if verified.first_met:
        err.print(
            "Its key was taken from the log itself, for want of another. Compare it with one that"
            " you got elsewhere, and give that as --key.",
            style="yellow",
        )


def _alarm(fault: LogFault, *, json_: bool) -> None:
    kind = type(fault).__name__
    if json_:
        print_json({"fault": kind, "said": str(fault), "entry": fault.index})
    err.print(f"{kind}: {fault}", style="red", markup=False, highlight=False)
    raise typer.Exit(fault.exit_code) from None
