"""What a log line says, and where it keeps silent."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from dtsen.embedded import EmbeddedError
from dtsen.errors import Unavailable
from dtsen.telemetry.logs import configure
from tests.dtsen.telemetry.conftest import WORDS

log = logging.getLogger(__name__)


@pytest.fixture
def stream(log_stream):
    configure(WORDS, spoken=(EmbeddedError,), stream=log_stream)
    return log_stream


def said(stream):
    """The message of the only line."""
    (line,) = stream.getvalue().splitlines()
    return line.split(": ", 1)[1]


def test_our_own_words_are_said(stream):
    log.warning("%s: %s %s after %d", "individuals.get", "TimeoutError", "08006", 3)
    assert said(stream) == "individuals.get: TimeoutError 08006 after 3"


def test_classes_and_errors_are_named(stream):
    log.warning("%s %s %s", ValueError, Unavailable(), OSError("who"))
    assert said(stream) == "ValueError unavailable OSError"


def test_an_operators_error_is_said_in_full(stream):
    log.warning("cannot start: %s", EmbeddedError("no PostgreSQL runs here"))
    assert said(stream) == "cannot start: no PostgreSQL runs here"


def test_a_path_is_said(stream):
    log.warning("missing: %s", Path("keys") / "tokens.json")
    assert said(stream) == "missing: keys/tokens.json"


@pytest.mark.parametrize("text", ["Sintewati", "33740", "", "Value", "individuals.getx"])
def test_other_texts_are_withheld(stream, text):
    log.warning("said %s", text)
    assert said(stream) == ("said 33740" if text == "33740" else "said [withheld]")


def test_a_message_that_data_made_gives_its_place_instead(stream):
    log.warning("no row for " + "Sintewati".lower())  # noqa: G003 - what is tested
    assert said(stream).startswith("[withheld] (dtsen/telemetry/test_logs.py:")


def test_a_placeholder_that_fits_nothing_does_not_fail(stream):
    log.warning("%d rows", "Sintewati")
    assert said(stream) == "%d rows [withheld]"


def test_an_exception_says_where_it_came_from(stream):
    def deep():
        raise KeyError("Sintewati")

    try:
        try:
            deep()
        except KeyError as cause:
            raise Unavailable from cause
    except Unavailable:
        log.exception("failed")
    told = said(stream)
    assert told.startswith("failed | unavailable at dtsen/telemetry/test_logs.py:")
    assert " from KeyError at dtsen/telemetry/test_logs.py:" in told
    assert told.count(" < ") == 1
    assert "Sintewati" not in told


def test_a_line_break_in_a_message_breaks_no_line(stream):
    log.warning("one\ntwo")
    assert said(stream) == "one two"


def test_access_logs_are_off(stream):
    logging.getLogger("uvicorn.access").critical("GET")
    assert stream.getvalue() == ""


THREAD = """
import threading
def fail():
    raise KeyError('Sintewati')
one = threading.Thread(target=fail)
one.start()
one.join()
"""
UNRAISABLE = """
class Bad:
    def __del__(self):
        raise KeyError('Sintewati')
Bad()
"""
WARNING = "import warnings; warnings.warn('Sintewati')"
MISTAKE = "import logging; logging.getLogger('x').error('%s %s', 'Sintewati')"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise KeyError('Sintewati')", "the process ends by an exception | KeyError at"),
        (THREAD, "a thread ends by an exception | KeyError at"),
        (UNRAISABLE, "an exception could not be raised | KeyError at"),
        (WARNING, "WARNING [withheld]: [withheld] ("),
        (MISTAKE, "ERROR [withheld]: %s %s [withheld]"),
    ],
)
def test_python_itself_says_no_texts(code, expected):
    code = "from dtsen.telemetry.logs import configure; configure()\n" + code
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert expected in done.stderr
    assert "Sintewati" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
