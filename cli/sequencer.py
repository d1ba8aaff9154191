"""`dtsen sequencer`: the process that takes records up into the log, and publishes it."""

import signal
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import httpx2
import typer

from cli.context import database, err, fail, keyring, out, settings
from dtsen.audit.halt import EXIT_CODE, RUNBOOK, LogHalted
from dtsen.audit.keeper import Keeper
from dtsen.audit.publication import Publication, store_at
from dtsen.audit.recovery import recover as take_up_again
from dtsen.audit.sequencer import Sequencer
from dtsen.audit.stamping import Stamping
from dtsen.clock import Clock
from dtsen.settings import Settings
from dtsen.tlog.policy import parse_policy
from dtsen.verifier.timestamps import read_authority
from dtsen.witness.gathering import Witnesses


def sequencer(
    *,
    recover: Annotated[
        bool,
        typer.Option(help="After a restored backup: take up again what was published, then end."),
    ] = False,
) -> None:
    """Keep the access log until interrupted; a second one waits until the first has ended.

    Exit code 3: the log was halted, since going on could contradict what was published.
    """
    stop = Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    chosen, clock = settings(), Clock()
    publication = Publication(store_at(chosen.log_place), chosen.guard_directory)
    with ExitStack() as stack:
        witnesses = _witnesses(stack, chosen.witness_policy, clock)
        stamping = _stamping(chosen, publication, clock)
        keeper = Keeper(
            keyring(), clock, publication, chosen.issuer, witnesses=witnesses, stamping=stamping
        )
        urls = stack.enter_context(database())
        try:
            candidate = Sequencer(urls.sequencer, keyring(), clock, keeper)
            if recover:
                _recover(candidate, publication)
            else:
                candidate.run(stop)
        except LogHalted as halt:
            err.print(f"The log is halted: {halt}. See {RUNBOOK}.", style="red", markup=False)
            raise typer.Exit(EXIT_CODE) from None


def _witnesses(stack: ExitStack, file: Path | None, clock: Clock) -> Witnesses | None:
    """The witnesses of the policy that the settings name, for as long as the command runs."""
    if file is None:
        return None
    try:
        policy = parse_policy(file.read_text())
    except (OSError, ValueError) as error:
        fail(f"DTSEN_WITNESS_POLICY: {error}")
    witnesses = Witnesses(policy, stack.enter_context(httpx2.Client()), clock.monotonic)
    stack.callback(witnesses.close)
    return witnesses


def _stamping(chosen: Settings, publication: Publication, clock: Clock) -> Stamping | None:
    """The timestamp authority that the settings name."""
    if chosen.tsa_url is None or chosen.tsa_ca is None:
        return None
    try:
        authority = read_authority(chosen.tsa_ca)
    except (OSError, ValueError) as error:
        fail(f"DTSEN_TSA_CA: {error}")
    return Stamping(chosen.tsa_url, authority, publication, clock)


def _recover(candidate: Sequencer, publication: Publication) -> None:
    with candidate.connect() as connection:
        if not candidate.lead(connection):
            fail("Another sequencer leads; end it first")
        for one in take_up_again(connection, keyring(), Clock(), publication, settings().issuer):
            out.print(
                f"{one.origin}: leaves {one.since} to {one.size} taken up again,"
                f" {one.lost} of them without their records"
            )
