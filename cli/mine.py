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

from cli.calling import ClientFile
from cli.context import err, out
from cli.verifying import Keys, State, believed, memory_in, told_faults, trust_in
from dtsen.client import Agency, NotThere, opened
from dtsen.client.receipts import appended_to
from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import Verifier, read_note
from dtsen.tlog.proof import ProofFile
from dtsen.verifier.faults import LogFault, Unreachable
from dtsen.verifier.receipts import check_proof, read_receipts

SEARCH = "/v1/audit/search"
PAGE = 500
PATIENCE_SECONDS = 60
MARGIN_MS = 5_000
"""How far a record's id and its time in the database may be apart."""
WITHOUT_RECEIPT = frozenset({"login", "throttled"})
"""Kinds of records whose answers carry no receipt."""


class _Own:
    """Receipts of the calls made here, kept where those asked about are."""

    def __init__(self, file: Path) -> None:
        self._append = appended_to(file)
        self.held: dict[UUID, bytes] = {}

    def keep(self, receipt: str) -> None:
        self.held |= read_receipts(receipt)
        self._append(receipt)


def proof(
    client_file: ClientFile,
    record: Annotated[str, typer.Argument(help="A record's id.")],
    key: Keys = None,
    state: State = None,
) -> None:
    """Fetch the proof that a record is in the log, verify it here, and print it."""
    with told_faults(), opened(client_file) as asking:
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
    own = _Own(receipts_file)
    with opened(client_file, receipts=own.keep) as asking:
        trust, memory = trust_in(keys, None), memory_in(state)
        times = [record.int >> 80 for record in receipts]
        found = _records(asking, min(times), max(times))
        for record in sorted(receipts.keys() - found.keys()):
            raise LogFault(f"record {record}, of which you hold a receipt, is not in the log")
        known = receipts.keys() | own.held.keys()
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


def _proof(asking: Agency, record: UUID) -> bytes:
    try:
        return asking.send("GET", f"/v1/audit/records/{record}/proof").content
    except NotThere:
        raise LogFault(f"record {record} is not in the log, or not yours") from None


def _origin(content: bytes) -> str:
    return Checkpoint.parse(read_note(ProofFile.parse(content).checkpoint)[0]).origin


def _records(asking: Agency, first: int, last: int) -> dict[UUID, dict[str, Any]]:
    """This client's records whose ids lie between two instants (Unix ms), once all are indexed."""
    since, until = _instant(first - MARGIN_MS), _instant(last + MARGIN_MS)
    found = search(asking, since, until, client=asking.client_id)
    return {
        record: one
        for record, one in found.items()
        if one.get("typ") not in WITHOUT_RECEIPT and first <= record.int >> 80 <= last
    }


def search(
    asking: Agency, since: datetime, until: datetime, **wanted: str
) -> dict[UUID, dict[str, Any]]:
    """Records between two instants that this client may see, once all are indexed.

    Raises:
        Unreachable: the log does not become complete until then.
        CallFailed: it does not answer, or is not open to this client.
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


def _pages(asking: Agency, asked: dict[str, str]) -> tuple[dict[UUID, dict[str, Any]], str]:
    found: dict[UUID, dict[str, Any]] = {}
    complete = ""
    for page in asking.pages(SEARCH, {**asked, "limit": PAGE}):
        found |= {UUID(one["jti"]): one for one in page["records"]}
        complete = page["complete_until"]
    return found, complete
