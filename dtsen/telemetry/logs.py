"""Log lines that cannot name anybody.

A message is let through only if it is a constant of the code that logs it; of its arguments only
numbers, classes, exceptions (by class) and words on the closed lists. Of an exception its class and
the places in code that it passed, never its text, source lines or locals. `extra` is not read.
Where a message is withheld, the place that logged it tells where to look it up.
"""

import inspect
import logging
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from types import TracebackType
from typing import TextIO

from opentelemetry._logs import LoggerProvider, SeverityNumber

from dtsen.errors import DtsenError
from dtsen.telemetry.words import WITHHELD, Told, Words, module_of, scrub

OURS = ("api", "auth", "cli", "dtsen", "schemas")
OF_THE_EXPORT = ("opentelemetry", "requests", "urllib3")
"""What exporting itself logs; exported, it would beget itself."""
MOST_FRAMES = 8

logger = logging.getLogger(__name__)


class Speech:
    """Turns log records into texts that may leave.

    `spoken` are exceptions whose text we wrote for operators; it holds settings, never a person.
    """

    def __init__(self, words: Words, spoken: tuple[type[BaseException], ...] = ()) -> None:
        self._words = words
        self._spoken = spoken

    def tell(self, record: logging.LogRecord) -> Told:
        """One line: message, and how an exception came about."""
        text = self._message(record)
        if record.exc_info and record.exc_info[1] is not None:
            text += " | " + " from ".join(self._told(error) for error in _chain(record.exc_info[1]))
        return Told(scrub(" ".join(text.split())))

    def _message(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, str) or not _is_constant(record):
            return f"{WITHHELD} ({_place(record.pathname, record.lineno)})"
        if not record.args:
            return record.msg
        try:
            if isinstance(record.args, Mapping):
                return record.msg % {k: self._argument(v) for k, v in record.args.items()}
            return record.msg % tuple(self._argument(value) for value in record.args)
        except (TypeError, ValueError):  # `%d` of something withheld
            return f"{record.msg} {WITHHELD}"

    def _argument(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, type):
            return value.__qualname__
        if isinstance(value, BaseException):
            return self._named(value)
        if isinstance(value, PurePath) or (type(value) is str and self._words.knows(value)):
            return str(value)
        return WITHHELD

    def _named(self, error: BaseException) -> str:
        if isinstance(error, self._spoken):
            return str(error)
        if isinstance(error, DtsenError):
            return error.code
        kind = type(error)
        within = "" if kind.__module__ == "builtins" else kind.__module__ + "."
        return within + kind.__qualname__

    def _told(self, error: BaseException) -> str:
        places = " < ".join(_places(error.__traceback__))
        return f"{self._named(error)} at {places}" if places else self._named(error)


def _is_constant(record: logging.LogRecord) -> bool:
    """Whether a message stands as it is in the function that logs it, so that no data made it."""
    frame = inspect.currentframe()
    while frame is not None:
        code = frame.f_code
        if (code.co_filename, frame.f_lineno) == (record.pathname, record.lineno):
            return record.msg in code.co_consts
        frame = frame.f_back
    return False


def _places(traceback: TracebackType | None) -> list[str]:
    """Where an exception came from, the innermost first."""
    found = []
    while traceback is not None:
        found.append(_place(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found[: -MOST_FRAMES - 1 : -1]


def _place(file: str, line: int) -> str:
    """A line of code, without the folders that are this machine's."""
    return "/".join(Path(file).parts[-3:]) + f":{line}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        yield current
        seen.add(id(current))
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


class SafeFormatter(logging.Formatter):
    """`2026-11-24T03:05:07.123Z ERROR dtsen.disclosure.gate: ...`, one line a record."""

    def __init__(self, speech: Speech) -> None:
        super().__init__()
        self._speech = speech

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told = self._speech.tell(record)
        level = logging.getLevelName(record.levelno)
        return f"{instant}.{int(record.msecs):03}Z {level} {module_of(record.name)}: {told}"


class ExportHandler(logging.Handler):
    """Hands log records to OpenTelemetry, in the words of the log line."""

    def __init__(self, speech: Speech, provider: LoggerProvider) -> None:
        super().__init__()
        self._speech = speech
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        """Export one record."""
        if record.name.partition(".")[0] in OF_THE_EXPORT:
            return
        kind = record.exc_info[0] if record.exc_info else None
        self._provider.get_logger(module_of(record.name)).emit(
            timestamp=int(record.created * 1e9),
            # Both scales count in equal steps: tens from DEBUG 10, fours from DEBUG 5.
            severity_number=SeverityNumber(min(record.levelno, 50) // 10 * 4 + 1),
            body=self._speech.tell(record),
            attributes={"exception.type": kind.__qualname__} if kind else None,
        )


def configure(
    words: Words | None = None,
    *,
    spoken: tuple[type[BaseException], ...] = (),
    provider: LoggerProvider | None = None,
    stream: TextIO | None = None,
) -> None:
    """Have this process log safely: replaces every handler of the root logger.

    Also what Python itself would print with texts and source lines: warnings, exceptions that end
    a thread or the process, failures of logging. Access logs are off: they hold addresses.
    """
    speech = Speech(words or Words(), spoken)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(SafeFormatter(speech))
    handlers: list[logging.Handler] = [handler]
    if provider is not None:
        handlers.append(ExportHandler(speech, provider))
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False
    sys.excepthook = _process_ended
    threading.excepthook = _thread_ended
    sys.unraisablehook = _ignored


def _process_ended(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    logger.critical("the process ends by an exception", exc_info=(kind, error, traceback))


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value
    if error is not None:
        told = (args.exc_type, error, args.exc_traceback)
        logger.error("a thread ends by an exception", exc_info=told)


def _ignored(args: "sys.UnraisableHookArgs") -> None:
    error = args.exc_value
    if error is not None:
        told = (args.exc_type, error, args.exc_traceback)
        logger.error("an exception could not be raised", exc_info=told)
