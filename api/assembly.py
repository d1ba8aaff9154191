"""Building one worker's parts in order, and taking them down in the other."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api.announcement import Announcement
from api.parts import Parts
from auth.budgets import Budgets
from auth.guard import Guard
from auth.limits import AgencyLimiter
from auth.nonces import Nonces
from auth.possession import Possession
from auth.signatures import Signatures
from auth.tokens import TokenVerifier
from dtsen.audit.delay import MergeDelay
from dtsen.audit.publication import Publication, store_at
from dtsen.audit.reading import PublishedLog
from dtsen.audit.search import AccessLog
from dtsen.clock import Clock
from dtsen.database import DatabaseUrls, open_pool
from dtsen.disclosure.authority import Authority
from dtsen.disclosure.gate import Gate
from dtsen.disclosure.notes import Notes
from dtsen.disclosure.repeats import Repeats
from dtsen.disclosure.tally import Tally
from dtsen.embedded import EmbeddedError, addressed
from dtsen.keys import open_keyring
from dtsen.legacy.usage import Usage
from dtsen.settings import Settings
from dtsen.telemetry import Telemetry

GATE_CONNECTIONS = 3
CONNECTIONS = 4
AUDITOR_CONNECTIONS = 2
STATEMENT_SECONDS = 3
"""Bound of every statement beside the gate's, which has a deadline of its own."""


@asynccontextmanager
async def assemble(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Parts]:
    """The parts of one worker, ready to serve; taken down in order at the end.

    PostgreSQL may be away: a worker that starts meanwhile answers 503 until it is back.
    """
    if addressed(settings) is None:
        raise EmbeddedError("no PostgreSQL was ever started here")

    def now_at() -> DatabaseUrls:
        """Where PostgreSQL is now: the embedded one may come back on another port."""
        try:
            urls = addressed(settings)
        except EmbeddedError:
            urls = None
        if urls is None:
            raise ConnectionError
        return urls

    clock = Clock()
    keyring = open_keyring(settings.key_directory, settings.module_uri)
    async with AsyncExitStack() as stack:
        lookup_pool = await stack.enter_async_context(
            await open_pool(
                lambda: now_at().api,
                name="dtsen-gate",
                size=GATE_CONNECTIONS,
                generic_plans=True,
            )
        )
        pool = await stack.enter_async_context(
            await open_pool(
                lambda: now_at().api,
                name="dtsen-api",
                size=CONNECTIONS,
                deadline=STATEMENT_SECONDS,
            )
        )
        auditor_pool = await stack.enter_async_context(
            await open_pool(
                lambda: now_at().auditor,
                name="dtsen-auditor",
                size=AUDITOR_CONNECTIONS,
                deadline=STATEMENT_SECONDS,
            )
        )
        authority = Authority(pool, clock, telemetry=telemetry)
        await authority.start()
        stack.push_async_callback(authority.close)
        delay = MergeDelay(pool, clock, telemetry=telemetry)
        await delay.start()
        stack.push_async_callback(delay.close)
        # A module takes two keys of one name: there, one process alone makes them.
        made = keyring.ensure(clock.now()) if settings.module_uri is None else ()
        notes = Notes(pool, keyring, clock)
        tally = Tally(notes, clock, authority.agency_of)
        tally.start()
        stack.push_async_callback(tally.close)
        announcement = Announcement(notes, settings, made)
        announcement.start()
        stack.push_async_callback(announcement.close)
        gate = Gate(lookup_pool, authority, keyring, clock, telemetry=telemetry)
        stack.push_async_callback(gate.drain)
        usage = Usage(pool, keyring)
        usage.start()
        stack.push_async_callback(usage.close)
        budgets = Budgets(pool, clock)
        stack.push_async_callback(budgets.close)
        verifier = TokenVerifier(keyring, settings.issuer, clock)
        limiter = AgencyLimiter()
        nonces = Nonces(keyring, wanted=settings.dpop_nonces)
        possession = Possession(settings.issuer, clock, nonces)
        guard = Guard(authority, verifier, limiter, budgets, clock=clock, possession=possession)
        yield Parts(
            settings=settings,
            clock=clock,
            keyring=keyring,
            pool=pool,
            access_log=AccessLog(auditor_pool, keyring, clock),
            delay=delay,
            log=PublishedLog(
                Publication(store_at(settings.log_place), settings.guard_directory), auditor_pool
            ),
            authority=authority,
            limiter=limiter,
            gate=gate,
            guard=guard,
            signatures=Signatures(pool, settings.issuer, clock),
            repeats=Repeats(pool, keyring),
            tally=tally,
            notes=notes,
            telemetry=telemetry,
            usage=usage,
        )
