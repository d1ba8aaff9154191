"""What one worker is made of, built at its start and handed to every call."""

from dataclasses import dataclass

import asyncpg

from auth.guard import Guard
from auth.limits import AgencyLimiter
from auth.signatures import Signatures
from dtsen.audit.delay import MergeDelay
from dtsen.audit.reading import PublishedLog
from dtsen.audit.search import AccessLog
from dtsen.clock import Clock
from dtsen.disclosure.authority import Authority
from dtsen.disclosure.gate import Gate
from dtsen.disclosure.notes import Notes
from dtsen.disclosure.repeats import Repeats
from dtsen.disclosure.tally import Tally
from dtsen.keys import Keyring
from dtsen.legacy.usage import Usage
from dtsen.settings import Settings
from dtsen.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one worker."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    pool: asyncpg.Pool
    access_log: AccessLog
    log: PublishedLog
    delay: MergeDelay
    authority: Authority
    limiter: AgencyLimiter
    gate: Gate
    guard: Guard
    signatures: Signatures
    repeats: Repeats
    tally: Tally
    notes: Notes
    telemetry: Telemetry
    usage: Usage
