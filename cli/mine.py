"""What an agency asks of the log for itself: a proof, and whether all its calls are in it."""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import track

from cli.calling import Caller, caller
from cli.context import err, out
from cli.curl import ClientFile
from cli.verifying import Keys, State, believed, memory_in, told_faults, trust_in
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import Verifier, read_note
from dtsen.tlog.proof import ProofFile
from dtsen.verifier.faults import Absent, LogFault, Unreachable
from dtsen.verifier.receipts import check_proof, read_receipts

SEARCH = "/v1/audit/search"
PAGE = 500
PATIENCE_SECONDS = 60
MARGIN_MS = 5_000
"""How far a record's id and its time in the database may be apart."""
WITHOUT_RECEIPT = frozenset({"login", "throttled"})
"""Kinds of records whose answers carry no receipt."""


def proof(
    client_file: ClientFile,
    record: Annotated[str, typer.Argument(help="A record's id.")],
    key: Keys = None,
    state: State = None,
) -> None:
    """Fetch the proof that a record is in the log, verify it here, and print it."""
    with told_faults(), caller(client_file) as asking:
        content = _proof(asking, UUID(record))
        keys = believed(_origin(content), memory_in(state), trust_in(key, None), asking)
        check_proof(content, UUID(record), keys)
    sys.stdout.write(content.decode())
    err.print(f"Record {record} is in the log: verified here.", style="green", highlight=False)


def mine(
    receipts_file: Path, client_file: Path, keys: Sequence[str] | None, state: Path | None
) -> None:
    """See that all calls with a receipt, and only those, are in the log.

    Raises:
        LogFault: one is missing, altered, or not ours.
    """
    receipts = read_receipts(receipts_file.read_text())
    if not receipts:
        raise ValueError(f"{receipts_file} holds no receipt")
    with caller(client_file, receipts_file) as asking:
        trust, memory = trust_in(keys, None), memory_in(state)
        times = [record.int >> 80 for record in receipts]
        found = _records(asking, min(times), max(times))
        for record in sorted(receipts.keys() - found.keys()):
            raise LogFault(f"record {record}, of which you hold a receipt, is not in the log")
        known = receipts.keys() | asking.own.keys()
        extra = [one for record, one in found.items() if record not in known]
        for one in extra:
            said = f"{one['op']} at {one['recorded_at']}"
            raise LogFault(f"record {one['jti']} ({said}) is in your name, without a receipt")
        believe: dict[str, Sequence[Verifier]] = {}
        for record, receipt in track(receipts.items(), "proofs", console=err, transient=True):
            content = _proof(asking, record)
            origin = _origin(content)
            if origin not in believe:
                believe[origin] = believed(origin, memory, trust, asking)
            check_proof(content, record, believe[origin], receipt)
    out.print(f"{len(receipts)} calls, all of them and no others, are in the log", highlight=False)


def _proof(asking: Caller, record: UUID) -> bytes:
    try:
        return asking.call("GET", f"/v1/audit/records/{record}/proof").content
    except Absent:
        raise LogFault(f"record {record} is not in the log, or not yours") from None


def _origin(content: bytes) -> str:
    return Checkpoint.parse(read_note(ProofFile.parse(content).checkpoint)[0]).origin


def _records(asking: Caller, first: int, last: int) -> dict[UUID, dict[str, Any]]:
    """This client's records whose ids lie between two instants (Unix ms), once all are indexed."""
    since, until = _instant(first - MARGIN_MS), _instant(last + MARGIN_MS)
    found = search(asking, since, until, client=asking.client["client_id"])
    return {
        record: one
        for record, one in found.items()
        if one.get("typ") not in WITHOUT_RECEIPT and first <= record.int >> 80 <= last
    }


def search(
    asking: Caller, since: datetime, until: datetime, **wanted: str
) -> dict[UUID, dict[str, Any]]:
    """Records between two instants that this client may see, once all are indexed.

    Raises:
        Unreachable: the log does not become complete until then, or does not answer.
        Refused: it is not open to this client.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    asked = wanted | {"from": since.isoformat(), "to": until.isoformat()}
    while True:
        found, complete = _pages(asking, asked)
        if datetime.fromisoformat(complete) > until:
            return found
        if time.monotonic() >= deadline:
            raise Unreachable(f"the log is complete only until {complete}")
        time.sleep(1)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _pages(asking: Caller, asked: dict[str, str]) -> tuple[dict[UUID, dict[str, Any]], str]:
    found: dict[UUID, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        told = asking.call("POST", SEARCH, json=asked | cursor | {"limit": PAGE}).json()
        found |= {UUID(one["jti"]): one for one in told["records"]}
        if told["next"] is None:
            return found, told["complete_until"]
        cursor = {"cursor": told["next"]}
