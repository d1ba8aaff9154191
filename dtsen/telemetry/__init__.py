"""What an installation tells of itself: numbers always, traces, metrics and logs where asked for.

Nothing here can name a person, an agency, a client or an address: labels and attributes come from
closed lists, log messages from the code. See docs/adr/0008-telemetry.md.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry import trace

from dtsen.telemetry.configured import TelemetryError, signals
from dtsen.telemetry.instruments import (
    AUTHORITY,
    BATCH,
    COMMIT,
    DURATION,
    MERGING,
    PEOPLE,
    REFUSALS,
    REQUESTS,
    WAITING,
)
from dtsen.telemetry.logs import configure as configure_logs
from dtsen.telemetry.numbers import Counter, Histogram, Numbers
from dtsen.telemetry.totals import MEDIA_TYPE, Totals
from dtsen.telemetry.words import OTHER, STATUS_CLASSES, Words

if TYPE_CHECKING:
    from dtsen.telemetry.otlp import Providers

__all__ = [
    "MEDIA_TYPE",
    "OFF",
    "Telemetry",
    "TelemetryError",
    "Totals",
    "Words",
    "configure_logs",
    "signals",
    "start",
]


class _Operation:
    """The series of one operation."""

    __slots__ = ("by_status", "duration", "people")

    def __init__(self, numbers: Numbers, operation: str) -> None:
        classes = [numbers.counter(REQUESTS, operation, status) for status in STATUS_CLASSES]
        self.by_status: tuple[Counter, ...] = (classes[-1], *classes)
        self.duration: Histogram = numbers.histogram(DURATION, operation)
        self.people: Counter = numbers.counter(PEOPLE, operation)


class Telemetry:
    """One worker's telemetry. Its methods are for the event loop's thread, and cheap."""

    def __init__(
        self, words: Words, folder: Path | None = None, providers: "Providers | None" = None
    ) -> None:
        operations = (*sorted(words.operations), OTHER)
        each = tuple((operation,) for operation in operations)
        codes = (*sorted(words.codes), OTHER)
        answers = tuple((name, status) for name in operations for status in STATUS_CLASSES)
        one: tuple[tuple[str, ...], ...] = ((),)
        self._numbers = Numbers(
            [
                (REQUESTS, answers),
                (DURATION, each),
                (PEOPLE, each),
                (REFUSALS, tuple((code,) for code in codes)),
                *((single, one) for single in (BATCH, WAITING, COMMIT, AUTHORITY, MERGING)),
            ],
            folder,
        )
        self._operations = {name: _Operation(self._numbers, name) for name in operations}
        self._other = self._operations[OTHER]
        self._refusals = {code: self._numbers.counter(REFUSALS, code) for code in codes}
        self._batch = self._numbers.histogram(BATCH)
        self._waiting = self._numbers.gauge(WAITING)
        self._commit = self._numbers.histogram(COMMIT)
        self._authority = self._numbers.gauge(AUTHORITY)
        self._authority.set(time.monotonic())
        self._merging = self._numbers.gauge(MERGING)
        self._merging.set(time.monotonic())
        self._providers = providers
        self._tracing = providers is not None and providers.traces is not None

    def answered(self, operation: str, status: int, seconds: float | None) -> None:
        """A request was answered: its operation's id, HTTP status, how long it took if known."""
        known = self._operations.get(operation, self._other)
        known.by_status[status // 100 if 100 <= status < 600 else 0].add()  # noqa: PLR2004 - HTTP
        if seconds is not None:
            known.duration.observe(seconds)
        if self._tracing:
            trace.get_current_span().set_attribute("dtsen.operation", operation)

    def disclosed(self, operation: str, people: int) -> None:
        """A recorded answer told of so many people."""
        self._operations.get(operation, self._other).people.add(people)

    def refused(self, code: str) -> None:
        """A request was refused with an error's code."""
        self._refusals.get(code, self._refusals[OTHER]).add()
        if self._tracing:
            trace.get_current_span().set_attribute("dtsen.code", code)

    def waiting(self, questions: int) -> None:
        """So many questions stand in the gate's queue."""
        self._waiting.set(questions)

    def departed(self, size: int, waiting: int) -> None:
        """The gate took so many questions on together and left so many waiting."""
        self._batch.observe(size)
        self._waiting.set(waiting)

    def committed(self, seconds: float) -> None:
        """The recording statement returned after so long."""
        self._commit.observe(seconds)

    def authority_read(self, at: float) -> None:
        """Authority was read at this instant of the monotonic clock."""
        self._authority.set(at)

    def merging_since(self, at: float) -> None:
        """Nothing older than this instant of the monotonic clock waits to be merged."""
        self._merging.set(at)

    def flush(self) -> None:
        """Export what waits; blocks."""
        if self._providers is not None:
            self._providers.flush()

    def close(self) -> None:
        """Export what waits, for five seconds at most, and end; blocks."""
        if self._providers is not None:
            self._providers.close()
        self._numbers.close()

    def _publish(self) -> None:
        from dtsen.telemetry.otlp import publish  # noqa: PLC0415 - the SDK only where asked for

        if self._providers is not None and self._providers.metrics is not None:
            publish(self._providers.metrics, self._numbers)


OFF = Telemetry(Words())
"""Counts for nobody; for what runs outside of a server."""


def start(
    words: Words,
    *,
    service: str,
    version: str,
    folder: Path | None = None,
    spoken: tuple[type[BaseException], ...] = (),
) -> Telemetry:
    """The telemetry of this process: safe logs, numbers in a folder, OTLP if `OTEL_*` say so.

    `spoken`: see `logs.Speech`. Once in a process.

    Raises:
        TelemetryError: `OTEL_*` ask for what we do not do.
    """
    wanted = signals()
    made: Providers | None = None
    if wanted:
        from dtsen.telemetry.otlp import providers  # noqa: PLC0415 - the SDK only where asked for
        from dtsen.telemetry.redaction import Redaction  # noqa: PLC0415 - as above

        made = providers(wanted, Redaction(words), service=service, version=version)
        made.install()
    telemetry = Telemetry(words, folder, made)
    if made is not None:
        telemetry._publish()  # noqa: SLF001 - of this module
    configure_logs(words, spoken=spoken, provider=made.logs if made else None)
    return telemetry
