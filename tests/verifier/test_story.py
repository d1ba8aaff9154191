"""What a log says of itself must hold: how it began, what it lost, where it ended."""

import pytest

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.notes import sign_note
from dtsen.verifier.faults import LogFault
from dtsen.verifier.story import Story
from tests.verifier import logs

BEFORE = Checkpoint("log.example/log/2025", 9, bytes(32))
NOTE = sign_note(BEFORE.text, [logs.LOG.sign(BEFORE.text)]).decode()


def listen(*told, recall=lambda _: None):
    story = Story(logs.ORIGIN, [str(logs.LOG.verifier)], recall)
    for index, content in told:
        story.tell(index, content)
    story.end()


def recovery(index, **members):
    said = {"typ": "log", "op": "log.recover", "origin": logs.ORIGIN}
    return index, logs.entry(index, "told", **(said | members))


CLOSE = logs.entry(5, "told", typ="log", op="log.close")


def test_a_log_that_says_what_is_true_is_believed():
    listen(
        (0, logs.opening()), (3, b""), (4, b""), recovery(7, since=2, size=7, lost=2), (9, CLOSE)
    )
    listen((0, logs.opening(previous=NOTE)), recall=lambda _: BEFORE)
    listen((0, logs.opening(previous=NOTE)))


@pytest.mark.parametrize(
    ("told", "index"),
    [
        ([(0, logs.entry(0, typ="log", op="log.close"))], 0),
        ([(3, logs.opening())], 3),
        ([(0, logs.opening(origin="other.example/log/2026"))], 0),
        ([(0, logs.opening(key="other"))], 0),
        ([(0, logs.opening(previous="nonsense"))], 0),
        ([(4, b"")], 4),
        ([(4, b""), recovery(7, since=2, size=7, lost=2)], 7),
        ([(4, b""), recovery(7, since=5, size=7, lost=1)], 7),
        ([(4, b""), recovery(7, since=2, size=7, lost=1), (8, b"")], 8),
        ([(5, CLOSE), (6, b"")], 6),
    ],
)
def test_a_log_that_contradicts_itself_is_named(told, index):
    with pytest.raises(LogFault) as found:
        listen(*told)
    assert found.value.index == index


def test_a_year_that_goes_on_from_another_end_is_named():
    other = BEFORE._replace(size=10)
    with pytest.raises(LogFault, match="another end"):
        listen((0, logs.opening(previous=NOTE)), recall=lambda _: other)
